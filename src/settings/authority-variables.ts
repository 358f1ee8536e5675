// The variables by which tools are told another file of certificate authorities than their own. Owns the names, and which of
// the user's stand against ours.

/** A variable, and those of the user that say the same to the tool it is for. */
const NAMES: readonly (readonly [name: string, ...alike: string[]])[] = [
  ['NODE_EXTRA_CA_CERTS'],
  ['SSL_CERT_FILE'],
  ['REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'],
  ['CURL_CA_BUNDLE', 'SSL_CERT_FILE'],
  ['PIP_CERT', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'],
  ['GIT_SSL_CAINFO'],
  ['CARGO_HTTP_CAINFO'],
  ['AWS_CA_BUNDLE', 'REQUESTS_CA_BUNDLE'],
];

/** By name. */
export const AUTHORITY_VARIABLES: readonly string[] = NAMES.map(([name]) => name);

/**
 * @param base the user's environment: where it says something, that stands
 * @param bundle a PEM file. It takes the place of a tool's own authorities, so it must hold the public ones, too
 */
export function authorityVariables(base: NodeJS.ProcessEnv, bundle: string): NodeJS.ProcessEnv {
  const unset = NAMES.filter((alike) => alike.every((name) => !base[name]));
  return Object.fromEntries(unset.map(([name]) => [name, bundle]));
}
