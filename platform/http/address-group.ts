// Who counts as one: a client is not several because it has several addresses.
import { BlockList, isIPv4, isIPv6 } from 'node:net'

/**
 * An IPv4 address as it is; of an IPv6 address the network, because a host has 2^64 addresses in its own
 * (RFC 4291 section 2.5.4). Undefined for what is no address, such as the other end of a Unix socket.
 */
export function addressGroup(address: string | undefined): string | undefined {
  const plain = address?.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (plain === undefined || isIPv4(plain)) return plain
  if (!isIPv6(plain)) return undefined
  const [before = '', after] = plain.split('::', 2)
  const head = before === '' ? [] : before.split(':')
  const tail = after === undefined || after === '' ? [] : after.split(':')
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0')
  const [first, ...rest] = [...head, ...zeros, ...tail].slice(0, 4)
  return [first, ...rest].map((part) => Number.parseInt(`${part}`, 16).toString(16)).join(':')
}

/** Whether an address is of this machine, or one of `others`. */
export function createKnown(others: readonly string[]): (address: string | undefined) => boolean {
  const known = new BlockList()
  known.addSubnet('127.0.0.0', 8, 'ipv4')
  known.addAddress('::1', 'ipv6')
  for (const other of others) known.addAddress(other, isIPv4(other) ? 'ipv4' : 'ipv6')
  return (address) => {
    const plain = address?.replace(/^::ffff:(?=\d+\.)/i, '')
    // A Unix socket is of this machine.
    if (plain === undefined) return true
    return known.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6')
  }
}
