// The public names of `sallyport/testing`, spelled out one by one.

export type { RefusalReason } from './acceptors/acceptor.ts';
export type { NegotiateForms } from './acceptors/negotiate-acceptor.ts';
export type { ProxyUser } from './accounts.ts';
export type { CorporateProxy, CorporateProxyOptions } from './corporate-proxy.ts';
export { createCorporateProxy } from './corporate-proxy.ts';
export type { DescribedHabit, Habit, HabitName, HabitParameters, SignOnAnswer } from './habits.ts';
export { HABITS } from './habits.ts';
export type { Origin, OriginLogEntry, OriginOptions } from './origin.ts';
export { createOrigin } from './origin.ts';
export { originBytes } from './origin-pages.ts';
export type { ProxyCounts, ProxyLogEntry } from './record.ts';
export type { Leg, ProxyScheme } from './sign-on.ts';
export type { SignatureHash, TestCertificates } from './test-certificate.ts';
export { createTestCertificates } from './test-certificate.ts';
