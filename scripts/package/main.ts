// `npm run check:package`, the part about what is shipped: runs each policy on the real thing, prints a line for each and
// all faults, and ends with 1 when there are any. What is demanded stands in the file of each policy.
import { readFileSync } from 'node:fs';
import { auditDependencies } from './audit.ts';
import { installFaults, licenceFaults, runtimePackages } from './dependencies.ts';
import { lockFaults, versionFaults } from './lock-file.ts';
import { describeTarball, packDry, tarballFaults } from './tarball.ts';

interface Outcome {
  readonly what: string;
  readonly faults: readonly string[];
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

async function outcomes(): Promise<Outcome[]> {
  const [tarball, audit] = await Promise.all([packDry(), auditDependencies()]);
  const runtime = runtimePackages(lock);
  return [
    { what: describeTarball(tarball), faults: tarballFaults(tarball) },
    {
      what: `${runtime.length} runtime packages, licences and install scripts`,
      faults: [...licenceFaults(runtime), ...installFaults(runtime)],
    },
    {
      what: 'versions and lock file',
      faults: [...versionFaults(manifest), ...lockFaults(lock)],
    },
    audit,
  ];
}

for (const { what, faults } of await outcomes()) {
  process.stdout.write(`${what}: ${faults.length === 0 ? 'ok' : 'FAILED'}\n`);
  for (const fault of faults) {
    process.stdout.write(`  ${fault}\n`);
    process.exitCode = 1;
  }
}
