import { describe, expect, it } from 'vitest';
import { runCommand } from './run-command.ts';

const node = (code: string, timeoutMs = 1900) =>
  runCommand(process.execPath, ['-e', code], {}, timeoutMs);

describe('runCommand()', () => {
  it('returns standard output, from a program without input, outside of the working directory', async () => {
    const code = "process.stdin.on('end', () => console.log(process.cwd())).resume()";
    expect(await node(code)).toEqual({ output: '/\n' });
  });

  it('passes the environment on, without what is for Sallyport alone', async () => {
    const code =
      "console.log(Object.keys(process.env).filter((name) => name !== '__CF_USER_TEXT_ENCODING').join())";
    const env = { SALLYPORT_PASSWORD: 'hidden', HOME: '/home/alice' };
    expect(await runCommand(process.execPath, ['-e', code], env, 1900)).toEqual({
      output: 'HOME\n',
    });
  });

  it('tells the exit code of a program that fails, and that one is missing', async () => {
    expect(await node('process.exit(3)')).toEqual({ problem: `${process.execPath} failed (3)` });
    expect(await runCommand('/nonexistent/program', [], {}, 1000)).toEqual({
      problem: '/nonexistent/program failed (ENOENT)',
    });
  });

  it('ends a program that does not answer in time', async () => {
    const started = performance.now();
    const answer = await node("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)", 200);
    expect(answer).toEqual({ problem: `${process.execPath} did not answer in time` });
    expect(performance.now() - started).toBeLessThan(1500);
  });
});
