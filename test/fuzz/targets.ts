// All fuzz targets. A new parser is one entry in the file of its layer, beside this one's neighbours in `targets/`.
import type { FuzzTarget } from './engine/target.ts';
import { CLI_TARGETS } from './targets/cli.ts';
import { DIGEST_TARGETS } from './targets/digest.ts';
import { HTTP1_TARGETS } from './targets/http1.ts';
import { NATIVE_TARGETS } from './targets/native.ts';
import { NTLM_TARGETS } from './targets/ntlm.ts';
import { ROUTE_TARGETS } from './targets/route.ts';
import { SETTINGS_TARGETS } from './targets/settings.ts';
import { SPNEGO_TARGETS } from './targets/spnego.ts';
import { TESTING_TARGETS } from './targets/testing.ts';

export const TARGETS: readonly FuzzTarget[] = [
  ...HTTP1_TARGETS,
  ...NTLM_TARGETS,
  ...SPNEGO_TARGETS,
  ...DIGEST_TARGETS,
  ...ROUTE_TARGETS,
  ...SETTINGS_TARGETS,
  ...NATIVE_TARGETS,
  ...CLI_TARGETS,
  ...TESTING_TARGETS,
];
