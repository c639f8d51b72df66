// A wallet as browsers have it (EIP-1193), with a real key: it signs and sends, and can be told to
// refuse. What is signed is hashed by ethers, not by our own code.
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { JsonRpcProvider, keccak256, solidityPacked, TypedDataEncoder, Wallet } from 'ethers'
import type { Eip1193Provider } from '../../browser/index.ts'
import { fromHex, signDigest } from '../../protocol/index.ts'

export interface WalletCall {
  readonly method: string
  readonly params: readonly unknown[]
}

export interface TestWallet extends Eip1193Provider {
  readonly calls: readonly WalletCall[]
  /** Throws what the function returns for a call, or undefined to let it through. */
  readonly disturb: (decide: (call: WalletCall) => unknown) => void
  readonly close: () => void
}

type Typed = Parameters<typeof TypedDataEncoder.hash>
interface TypedJson {
  readonly domain: Typed[0]
  readonly types: Record<string, { name: string; type: string }[]>
  readonly message: Typed[2]
}
type SeedTyped = readonly { readonly type: string; readonly name: string; readonly value: string }[]

/** EIP-1193: the person said no. */
export const refusal = { code: 4001, message: 'User rejected the request.' }

export function createTestWallet(rpcUrl: string, privateKey: string): TestWallet {
  const provider = new JsonRpcProvider(rpcUrl, undefined, { batchMaxCount: 1, cacheTimeout: -1 })
  const signer = new Wallet(privateKey, provider)
  const calls: WalletCall[] = []
  let decide: (call: WalletCall) => unknown = () => undefined
  const sign = (hash: string) => signDigest(fromHex(hash), fromHex(privateKey))
  return {
    calls,
    disturb: (other) => {
      decide = other
    },
    close: () => provider.destroy(),
    request: async ({ method, params = [] }) => {
      const call = { method, params }
      calls.push(call)
      const error = decide(call)
      if (error !== undefined) throw error
      switch (method) {
        case 'eth_accounts':
        case 'eth_requestAccounts':
          return [signer.address.toLowerCase()]
        case 'eth_sendTransaction': {
          const { to, data, value } = params[0] as Record<string, string>
          return (await signer.sendTransaction({ to, data, value } as object)).hash
        }
        case 'eth_signTypedData_v4':
          return sign(typedHash(JSON.parse(String(params[1]))))
        case 'eth_signTypedData':
          return sign(seedHash(params[0] as SeedTyped))
        default:
          return forward(rpcUrl, method, params)
      }
    },
  }
}

export function typedHash({ domain, types, message }: TypedJson): string {
  const { EIP712Domain: _, ...named } = types
  return TypedDataEncoder.hash(domain, named, message)
}

/** As MetaMask documents `eth_signTypedData` (V1). */
export function seedHash(fields: SeedTyped): string {
  const schema = fields.map(({ type }) => type)
  const names = fields.map(({ type, name }) => `${type} ${name}`)
  const values = fields.map(({ value }) => value)
  return keccak256(
    solidityPacked(
      ['bytes32', 'bytes32'],
      [
        keccak256(
          solidityPacked(
            schema.map(() => 'string'),
            names,
          ),
        ),
        keccak256(solidityPacked(schema, values)),
      ],
    ),
  )
}

/** On a connection of its own: a test chain closes idle ones just when they are used again. */
async function forward(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    request(url, { method: 'POST', headers, agent: false }, resolve)
      .once('error', reject)
      .end(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
  })
  const { result, error } = JSON.parse(await text(answer))
  if (error !== undefined) throw error
  return result
}
