// The stock packages of x402, which are in a folder of their own (bench/peers): nothing of ours depends on them.
const folder = new URL('../../bench/peers/', import.meta.url)

/** A module of bench/peers, which imports them from there. */
export function loadPeer<Module>(name: string): Promise<Module> {
  return import(new URL(name, folder).href) as Promise<Module>
}
