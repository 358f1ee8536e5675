// A process with a GSSAPI of its own: makes security contexts as asked on standard input, a JSON object a line, and
// answers each with one. Libraries read the environment once and may crash: neither shall touch the test run.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const [library, dist] = process.argv.slice(2);
const { loadGssapi } = await import(new URL('native/gssapi.js', dist).href);
const provider = loadGssapi(library === '' ? {} : { library });
let context;

const ACTIONS = {
  provider: () => ({ description: provider.description, packages: provider.packages }),
  create: ({ request }) => {
    context = provider.createContext({
      ...request,
      channelBindings: fromHex(request.channelBindings),
    });
    return {};
  },
  step: async ({ token }) => ({ token: toHex(await context.step(fromHex(token))) }),
  timedStep: () => timed(() => context.step(null)),
  timedRest: () => timed(() => sleep(1_000)),
  dispose: () => {
    context[Symbol.dispose]();
    return {};
  },
  abandon: ({ request, rounds, token }) => abandon(request, rounds, token),
  hostile: ({ request, tokens }) => hostile(request, tokens),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { action, ...input } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await answer(action, input))}\n`);
}

async function answer(action, input) {
  try {
    return { ...(await ACTIONS[action](input)), ...state() };
  } catch (error) {
    const { code, message, hint, native } = error;
    return { error: { code, message, hint, native }, ...state() };
  }
}

function state() {
  return context === undefined
    ? {}
    : {
        complete: context.complete,
        mechanism: context.mechanism,
        serverProved: context.serverProved,
        principal: context.principal,
      };
}

/** How long it took, what came of it, and how long the event loop was held up meanwhile. */
async function timed(run) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const start = performance.now();
  const outcome = await run().then(
    () => null,
    ({ code }) => code,
  );
  delay.disable();
  return { outcome, waitedMs: performance.now() - start, heldUpMs: delay.max / 1e6 };
}

/** Contexts begun and dropped, every other with its call under way; what memory the process has after each tenth. */
async function abandon(request, rounds, token) {
  const memory = [];
  for (let round = 1; round <= rounds; round += 1) {
    const one = provider.createContext({ ...request, channelBindings: Buffer.from('bound') });
    const first = one.step(null).catch(() => undefined);
    if (round % 2 === 0) {
      await first;
      await one.step(fromHex(token)).catch(() => undefined);
    }
    one[Symbol.dispose]();
    await first;
    if (round % (rounds / 10) === 0) {
      globalThis.gc?.();
      memory.push(process.memoryUsage.rss());
    }
  }
  return { memory };
}

/** What came of each token, given to a context of its own behind its first: an error's code, or what it returned. */
async function hostile(request, tokens) {
  const outcomes = [];
  for (const token of tokens) {
    const one = provider.createContext({ ...request, channelBindings: null });
    await one.step(null);
    outcomes.push(
      await one.step(fromHex(token)).then(
        (next) => (next === null ? 'nothing' : 'token'),
        ({ code }) => code ?? 'no code',
      ),
    );
    one[Symbol.dispose]();
  }
  return { outcomes };
}

function toHex(bytes) {
  return bytes === null ? null : Buffer.from(bytes).toString('hex');
}

function fromHex(text) {
  return text === null || text === undefined ? null : Buffer.from(text, 'hex');
}
