// Receivers as their owner calls them.
import type { Address } from '../../../protocol/index.ts'
import type { AgentConfig } from '../../program/configuration/config.ts'

/** As the configuration calls a receiver; a short address where it does not. */
export function receiverNames(receivers: AgentConfig['receivers']): (receiver: Address) => string {
  const names = new Map(
    Object.entries(receivers).flatMap(([name, { address }]) => (address ? [[address, name]] : [])),
  )
  return (receiver) => names.get(receiver) ?? shortAddress(receiver)
}

/** `0x9d80…CB41` */
export function shortAddress(address: string): string {
  return `${address.slice(0, 6)}…${address.slice(-4)}`
}
