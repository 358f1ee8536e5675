// The public names of `sallyport/testing`, spelled out one by one.

export type { RefusalReason } from './acceptors/acceptor.ts';
export type { NegotiateForms } from './acceptors/negotiate-acceptor.ts';
export type { ProxyUser } from './accounts.ts';
export type { CorporateProxy, CorporateProxyOptions } from './corporate-proxy.ts';
export { createCorporateProxy } from './corporate-proxy.ts';
export type { Habit, HabitName } from './habits.ts';
export { HABITS } from './habits.ts';
export type { ProxyCounts, ProxyLogEntry } from './record.ts';
export type { Leg, ProxyScheme } from './sign-on.ts';
