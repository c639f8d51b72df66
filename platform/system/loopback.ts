import { isIPv4, isIPv6 } from 'node:net'

/** Whether only this machine can reach it: no other hears what is said there. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  if (isIPv4(bare)) return bare.startsWith('127.')
  return isIPv6(bare) ? /^(0+:)*:?0*1$|^::ffff:127\./i.test(bare) : bare === 'localhost'
}
