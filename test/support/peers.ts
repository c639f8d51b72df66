// The stock packages of x402, which are in a folder of their own (bench/peers): nothing of ours depends on them.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = new URL('../../bench/peers/', import.meta.url)

/** For `needing`. */
export const x402Peers = {
  name: '@x402/fetch and its kind',
  remedy: 'npm ci --ignore-scripts, in bench/peers',
  isThere: () => existsSync(fileURLToPath(new URL('node_modules/@x402/fetch', folder))),
}

/** A module of bench/peers/modules, which imports them from there. */
export function loadPeer<Module>(name: string): Promise<Module> {
  return import(new URL(name, folder).href) as Promise<Module>
}
