// What opens configurations. Their readers (zod, YAML, schemas of jobs and resources) are loaded when one is opened.
import type { createAgentFrom as CreateAgentFrom } from './agent/program/configuration/open.ts'
import type { startReceiverFrom as StartReceiverFrom } from './receiver/program/open.ts'

/**
 * An agent with the key, chain, budgets and receivers of an `agent.yaml`, the usual one unless it is named; jobs,
 * proxy and page are the daemon's. The store is one process's: where the daemon runs, buy through its proxy.
 * @throws UraidenError `config_missing`, `config_unreadable`, `config_invalid`, `state_in_use`, those of reading the
 * key, of the chain and of `createAgent`
 * @example
 * const agent = await createAgentFrom('agent.yaml')
 * const answer = await agent.get('http://192.168.1.10:8080/reading')
 * await agent.stop()
 */
export const createAgentFrom: typeof CreateAgentFrom = async (...given) => {
  const { createAgentFrom: open } = await import('./agent/program/configuration/open.ts')
  return open(...given)
}

/**
 * A receiver with the key, chain, state and policies of a `receiver.yaml`: to sell with a paywall, as one of
 * `startReceiver`. What the file sells, and where it listens, is the program's.
 * @throws UraidenError `config_unreadable`, `config_invalid`, `former_contracts_unserved`, those of reading the key
 * and of `startReceiver`
 * @example
 * const receiver = await startReceiverFrom('receiver.yaml')
 * app.use(await receiverApi(receiver))
 */
export const startReceiverFrom: typeof StartReceiverFrom = async (...given) => {
  const { startReceiverFrom: open } = await import('./receiver/program/open.ts')
  return open(...given)
}
