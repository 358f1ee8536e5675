// Asks this machine's GSSAPI whether Sallyport understands it: for owners of a Mac, where no test of ours runs. In a clone,
// after `npm ci`: node scripts/verify-macos.mjs. Sends nothing anywhere but, for a service name, to the KDC.
import { spawnSync } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = 'build/verify-macos';
const KERBEROS = '2a864886f712010202';
const SPNEGO = '2b0601050502';
/** What a service that does not exist may end in, by ticket and network. */
const CLEAN = [
  'TICKET_MISSING',
  'TICKET_EXPIRED',
  'SPN_UNKNOWN',
  'KDC_UNREACHABLE',
  'SIGN_ON_MISSING',
];
const ROUNDS = 200;

const { values } = parseArgs({
  options: {
    library: { type: 'string' },
    spn: { type: 'string' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  process.stdout.write(
    'node scripts/verify-macos.mjs [--spn HTTP/proxy.corp.example] [--library FILE]\n' +
      '  --spn      a service your ticket is good for: makes a token for it\n' +
      '  --library  another GSSAPI than the system’s\n',
  );
} else {
  build();
  process.exitCode = (await verify()) ? 0 : 1;
}

function build() {
  const words = ['exec', '--', 'tsc', '-p', 'tsconfig.build.json', '--outDir', OUT];
  const { status } = spawnSync('npm', words, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    throw new Error('The build failed. Was `npm ci` run in this clone?');
  }
}

async function verify() {
  const { openGssLibrary } = await load('gssapi-library');
  const { GssCalls, GSS_OID, isGssError } = await load('gssapi-calls');
  const { loadGssapi } = await load('gssapi');
  say('machine', `${process.platform} ${process.arch}, Node ${process.version}`);

  const results = [];
  const check = async (what, run) => {
    try {
      say('ok', `${what}: ${await run()}`);
      results.push(true);
    } catch (error) {
      say('FAILED', `${what}: ${error.code ?? ''} ${error.message}`);
      results.push(false);
    }
  };

  let calls;
  await check('the library loads', () => {
    calls = new GssCalls(openGssLibrary(values.library));
    return `${calls.library.flavour}, ${calls.library.name}`;
  });
  if (calls === undefined) {
    return false;
  }
  await check('the layout is that of this machine', () => {
    const isPacked = calls.library.layout.oid.bytes === 12;
    expect(isPacked === (process.platform === 'darwin' && process.arch === 'x64'), 'wrong one');
    return isPacked ? 'packed' : 'natural';
  });
  await check('gss_indicate_mechs lists whole identifiers', () => {
    const oids = calls.mechanisms().map((oid) => oid.toString('hex'));
    expect(oids.includes(KERBEROS) && oids.includes(SPNEGO), oids.join(' '));
    return oids.join(' ');
  });
  await check('gss_import_name and gss_display_name agree', () => {
    const { status, handle } = calls.importName('HTTP@verify.example', GSS_OID.HOSTBASED_SERVICE);
    expect(!isGssError(status), `import ended with ${status.major.toString(16)}`);
    const text = calls.displayName(handle);
    calls.releaseName(handle);
    expect(/^HTTP[@/]verify\.example/.test(text ?? ''), `shown as ${text}`);
    return text;
  });
  await check('a status has words', () => {
    const text = calls.statusText({ call: '', major: 7 << 16, minor: 0 }, GSS_OID.KERBEROS);
    expect(text.length > 10, text);
    return text;
  });

  if (results.includes(false)) {
    return false;
  }
  const provider = loadGssapi(values.library === undefined ? {} : { library: values.library });
  const begin = async (spn, use) => {
    const context = provider.createContext({
      ...{ package: 'negotiate', spn, credentials: null, allowNtlm: false },
      ...{
        channelBindings: Buffer.from('tls-server-end-point:verify'),
        mutual: true,
        delegate: false,
      },
    });
    try {
      return await use(context);
    } finally {
      context[Symbol.dispose]();
    }
  };
  const failureOf = (spn) =>
    begin(spn, (context) =>
      context.step(null).then(
        () => expect(false, 'a token for a service that cannot exist'),
        ({ code, message }) => ({ code, message }),
      ),
    );
  await check('a made-up service ends in a clean error', async () => {
    const { code, message } = await failureOf('HTTP/made-up.verify.example');
    expect(CLEAN.includes(code), `${code} ${message}`);
    return `${code}: ${message}`;
  });
  await check(`${ROUNDS} contexts begun and dropped`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      await failureOf('HTTP/made-up.verify.example');
    }
    return 'no crash';
  });
  if (values.spn === undefined) {
    say('skipped', 'a token for a real service: run kinit, then give one with --spn HTTP/host');
  } else {
    await check(`a token for ${values.spn}`, () => begin(values.spn, describeToken));
    await check('a wrong proof of the server is refused', () => begin(values.spn, refusesProof));
  }
  const isGood = results.every(Boolean);
  say(isGood ? 'GOOD' : 'BAD', `${provider.description}, ${results.length} checks`);
  return isGood;
}

async function describeToken(context) {
  const token = await context.step(null);
  expect(token !== null && token[0] === 0x60, 'no SPNEGO token');
  expect(Buffer.from(token).includes(Buffer.from(KERBEROS, 'hex')), 'no Kerberos in it');
  expect(context.mechanism === 'Kerberos' && context.complete, 'not complete');
  return `${token.length} bytes as ${context.principal}`;
}

async function refusesProof(context) {
  await context.step(null);
  // NegTokenResp: accept-completed, Kerberos, and four bytes that prove nothing.
  const answer = Buffer.from('a11a3018a0030a0100a10b06092a864886f712010202a2040402dead', 'hex');
  const code = await context.step(answer).then(
    () => 'accepted',
    (error) => error.code,
  );
  expect(code === 'SERVER_UNPROVEN' && !context.serverProved, code);
  return code;
}

function load(name) {
  return import(pathToFileURL(`${ROOT}/${OUT}/native/${name}.js`).href);
}

function expect(isTrue, otherwise) {
  if (!isTrue) {
    throw new Error(otherwise);
  }
}

function say(word, text) {
  process.stdout.write(`${word.padEnd(8)} ${text}\n`);
}
