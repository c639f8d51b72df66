// What a receiver knows of the chain, and when it may be compared with the chain.
import type { Receiver } from '../../receiver/index.ts'

/** Resolves when the chain was read as it is now, and what that asks for was begun. */
export async function readChain({ refresh }: Pick<Receiver, 'refresh'>): Promise<void> {
  await refresh()
}
