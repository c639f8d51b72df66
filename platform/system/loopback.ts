import { isIPv4, isIPv6 } from 'node:net'

/** Whether only this machine can reach it: no other hears what is said there. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  if (isIPv4(bare)) return bare.startsWith('127.')
  if (!isIPv6(bare) || bare.includes('%')) return bare === 'localhost'
  // In its shortest form; the second is 127.0.0.0/8 in IPv6.
  return /^\[::(1|ffff:7f[0-9a-f]{2}:[0-9a-f]+)\]$/.test(new URL(`http://[${bare}]`).hostname)
}
