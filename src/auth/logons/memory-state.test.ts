import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findMemoryFault } from './memory-state.ts';
import { StateFile } from './state-file.ts';

const home = mkdtempSync(join(tmpdir(), 'sallyport-memory-'));
afterAll(() => rmSync(home, { recursive: true }));

describe('findMemoryFault()', () => {
  it('finds none where the file can be written, and writes nothing', async () => {
    const place = { folder: join(home, 'good'), within: home };
    expect(await findMemoryFault(new StateFile(place, 'logons.json'))).toBeNull();
    expect(readdirSync(place.folder)).toEqual([]);
  });

  it('tells of a folder that cannot be made', async () => {
    writeFileSync(join(home, 'file'), '');
    const place = { folder: join(home, 'file', 'state'), within: join(home, 'file') };
    const fault = await findMemoryFault(new StateFile(place, 'logons.json'));
    expect(fault).toContain(join(home, 'file'));
  });

  it('tells of a file of another kind, and of an environment without a home', async () => {
    mkdirSync(join(home, 'other', 'folder'), { recursive: true });
    const place = { folder: join(home, 'other'), within: home };
    mkdirSync(join(home, 'folder'));
    const fault = await findMemoryFault(new StateFile(place, 'folder'));
    expect(fault).toMatch(/folder is not a file/);
    expect(await findMemoryFault(null)).toMatch(/names no home/);
  });
});
