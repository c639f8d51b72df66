// A watchtower on loopback, with a key that the embedded chain has funded.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { createKeySigner } from '../../platform/keys/index.ts'
import { type Address, fromHex } from '../../protocol/index.ts'
import { createWatchtowerServer } from '../../receiver/program/watchtower/server.ts'
import { startWatchtower, type WatchtowerOptions } from '../../receiver/program/watchtower/tower.ts'
import type { EmbeddedChain } from '../lab/chains/embedded-chain.ts'
import { freePort } from '../lab/processes/free-port.ts'

export const token = 'a-token-of-at-least-16-characters'

export interface Guarded {
  readonly chain: EmbeddedChain
  readonly contract: Address
  readonly receiver: Address
  readonly folder: string
}

/** For 127.0.0.1; self-signed, so it is its own authority. */
export async function certificate() {
  const read = (name: string) =>
    readFile(fileURLToPath(new URL(`certificates/${name}`, import.meta.url)), 'utf8')
  return { key: await read('ip.key'), cert: await read('ip.pem') }
}

export async function startTower(
  t: ExecutionContext,
  { chain, contract, receiver, folder }: Guarded,
  options: Partial<WatchtowerOptions> & {
    readonly tls?: { readonly key: string; readonly cert: string }
    readonly port?: number
  } = {},
) {
  // A test may start it once more where it was.
  const { tls, port = await freePort(), ...more } = options
  const account = chain.accounts[5]
  if (account === undefined) throw new Error('no account')
  const tower = await startWatchtower({
    signer: createKeySigner(fromHex(account.privateKey)),
    rpcUrl: chain.rpcUrl,
    contract,
    receiver,
    state: `${folder}/watchtower`,
    pollInterval: 20,
    confirmations: 1,
    transactionPoll: 10,
    ...more,
  })
  await tower.synced
  const server = createWatchtowerServer(tower, { token, tls })
  const url = await server.listen({ host: '127.0.0.1', port })
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= server.close().then(tower.stop)
    return stopped
  }
  t.teardown(stop)
  const push = (body: unknown, authorization = `Bearer ${token}`) =>
    fetch(`${url}/api/1/proofs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify(body),
    })
  return {
    tower,
    url,
    push,
    stop,
    account: account.address,
    sent: () => chain.provider.getTransactionCount(account.address),
  }
}
