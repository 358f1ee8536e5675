// This machine: versions, and which security library signs the user on.
import { release } from 'node:os';
import { loadSecurityProvider } from '../../native/security-provider.ts';
import { VERSION } from '../../observe/version.ts';
import type { Check, Examination } from '../examination.ts';
import type { Finding } from '../findings.ts';
import { asError, failed, finding } from '../findings.ts';

export const platformCheck: Check = {
  id: 'platform',
  doing: 'looking at this machine',
  limitMs: 5000,
  isOnTheWay: false,
  skip: () => null,
  run: async (exam) => [versions(), await securityLibrary(exam)],
};

function versions(): Finding {
  const { platform, arch, version } = process;
  return finding(
    'platform',
    'ok',
    `Sallyport ${VERSION} on Node ${version.slice(1)}, ${platform} ${arch} ${release()}`,
    {
      data: { sallyport: VERSION, node: version.slice(1), platform, arch, release: release() },
    },
  );
}

/** Without one, a name and a password still sign on by NTLM, Digest and Basic. */
async function securityLibrary({ settings }: Examination): Promise<Finding> {
  try {
    const { api, description, packages } = await loadSecurityProvider(settings.securityLibrary);
    return finding('security-library', 'ok', `${description} serves ${packages.join(', ')}`, {
      data: { api, packages },
    });
  } catch (error) {
    return failed('security-library', asError(error), {}, 'note');
  }
}
