// The one-hash build inside hash-wasm: a UMD file of 10 kB without types of its own (the whole package is 284 kB).
declare module 'hash-wasm/dist/md4.umd.min.js' {
  const api: {
    /** MD4 (RFC 1320) as 32 lower-case hex digits. */
    md4(data: Uint8Array): Promise<string>;
  };
  export = api;
}
