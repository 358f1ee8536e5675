// `npm run build:portable`: folders and archives for somebody who can install nothing. Owns the order of things and what is
// said about what was made.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArguments, runTool, UsageError } from '../../test/tool-arguments.ts';
import { packFolder } from './archive.ts';
import { layOut } from './folder.ts';
import type { PortablePlatform } from './platforms.ts';
import { PORTABLE_PLATFORMS } from './platforms.ts';

const OUT = join('build', 'portable');
const NAMES = PORTABLE_PLATFORMS.map(({ name }) => name);

const USAGE = `npm run build:portable -- [--platform NAME] [--no-archive]

Makes build/portable/sallyport-VERSION-PLATFORM and its archive: Node, Sallyport and all they need, to be unpacked and run.

  --platform NAME  ${NAMES.join(' or ')} alone
  --no-archive     the folder alone, which takes seconds, not a minute

Examples:
  npm run build:portable
  npm run build:portable -- --platform linux-x64 --no-archive
`;

await runTool('build:portable', async () => {
  const { values } = parseArguments({
    options: {
      platform: { type: 'string' },
      'no-archive': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  await mkdir(OUT, { recursive: true });
  const sums: string[] = [];
  for (const platform of platformsNamed(values.platform)) {
    const name = `sallyport-${version}-${platform.name}`;
    await layOut(platform, join(OUT, name), version);
    process.stdout.write(`${join(OUT, name)}\n`);
    if (!values['no-archive']) {
      sums.push(await makeArchive(platform, name));
    }
  }
  if (sums.length > 0) {
    await writeFile(join(OUT, 'SHA256SUMS'), sums.join(''));
  }
  return 0;
});

function platformsNamed(name: string | undefined): readonly PortablePlatform[] {
  const found = PORTABLE_PLATFORMS.filter((platform) => (name ?? platform.name) === platform.name);
  if (found.length === 0) {
    throw new UsageError(`There is no platform ${name}, but ${NAMES.join(' and ')}.`);
  }
  return found;
}

/**
 * @returns its line for `sha256sum -c`
 * @throws Error when it has become too large
 */
async function makeArchive(
  { archive, maxArchiveBytes }: PortablePlatform,
  name: string,
): Promise<string> {
  const file = join(OUT, `${name}${archive}`);
  await packFolder(join(OUT, name), file);
  const bytes = await readFile(file);
  const hash = createHash('sha256').update(bytes).digest('hex');
  process.stdout.write(`${file}: ${megabytes(bytes.length)} MB, SHA-256 ${hash}\n`);
  if (bytes.length > maxArchiveBytes) {
    throw new Error(
      `${file} has ${megabytes(bytes.length)} MB where ${megabytes(maxArchiveBytes)} MB are allowed (scripts/portable/platforms.ts).`,
    );
  }
  return `${hash}  ${name}${archive}\n`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
