// The local proxy on a stage: an embedded corporate proxy behind it unless the test brings another one, and alice's client between.
import type { ProxyServer } from '../../src/server/local-proxy.ts';
import { createProxyServer } from '../../src/server/local-proxy.ts';
import type { CorporateProxy, CorporateProxyOptions } from '../../src/testing/index.ts';
import { createCorporateProxy } from '../../src/testing/index.ts';
import type { SallyportOptions } from '../../src/upstream/settings.ts';
import { ALICE, clientOfAlice } from './network.ts';
import { RawClient } from './raw-client.ts';

export interface Stage extends AsyncDisposable {
  readonly proxy: ProxyServer;
  /** The proxy behind it. */
  readonly corporate: CorporateProxy;
  /** `Proxy-Authorization: ...` of its token. */
  readonly token: string;
  /** A connection to it. */
  client(): Promise<RawClient>;
}

export interface StageOptions {
  readonly corporate?: Partial<CorporateProxyOptions>;
  readonly settings?: SallyportOptions;
  readonly maxClients?: number;
}

export async function createStage({
  corporate: options,
  settings,
  maxClients,
}: StageOptions = {}): Promise<Stage> {
  const corporate = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE], ...options });
  const upstream = await clientOfAlice({ proxy: corporate.url, ...settings });
  const proxy = await createProxyServer({
    upstream,
    ...(maxClients === undefined ? {} : { maxClients }),
  });
  const port = { host: '127.0.0.1', port: proxy.port };
  return {
    proxy,
    corporate,
    token: `Proxy-Authorization: Basic ${Buffer.from(`x:${proxy.token}`).toString('base64')}`,
    client: () => RawClient.to(port),
    [Symbol.asyncDispose]: async () => {
      await proxy.close();
      await upstream.close();
      await corporate.close();
    },
  };
}
