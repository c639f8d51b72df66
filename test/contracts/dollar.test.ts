// The token that is paid by signature: what EIP-3009 says, by our own digests.
import test, { type ExecutionContext } from 'ava'
import { hexlify, randomBytes, Signature } from 'ethers'
import { addressOfKey, fromHex, type Hex, type Signer, signDigest } from '../../protocol/index.ts'
import {
  signTransfer,
  type TransferAuthorization,
  tokenSeparator,
} from '../../protocol/x402/index.ts'
import { type EmbeddedChain, startEmbeddedChain } from '../lab/chains/embedded-chain.ts'
import { authorizationTypes } from '../support/authorization-types.ts'
import { type Dollar, deployDollar } from '../support/dollar.ts'

let chain: EmbeddedChain
let dollar: Dollar
test.before(async () => {
  chain = await startEmbeddedChain()
  dollar = await deployDollar(chain)
})
test.after.always(() => chain.close())

function signerOf(index: number): Signer {
  const key = fromHex(chain.wallet(index).privateKey)
  return { address: addressOfKey(key), sign: async (digest) => signDigest(digest, key) }
}

const forever = 2n ** 64n - 1n
const nonce = (): Hex => hexlify(randomBytes(32)) as Hex

function authorizationOf(changes: Partial<TransferAuthorization> = {}): TransferAuthorization {
  return {
    ...{ from: signerOf(1).address, to: signerOf(2).address, value: 5n },
    ...{ validAfter: 0n, validBefore: forever, nonce: nonce() },
    ...changes,
  }
}

function separator(): Uint8Array {
  return tokenSeparator({ chainId: chain.chainId, asset: dollar.address }, dollar.domain)
}

function argumentsOf(given: TransferAuthorization): readonly (string | bigint)[] {
  const { from, to, value, validAfter, validBefore } = given
  return [from, to, value, validAfter, validBefore, given.nonce]
}

/** Sent by an account that has nothing to do with it. */
async function transfer(given: TransferAuthorization, signature: string): Promise<void> {
  const { v, r, s } = Signature.from(signature)
  const send = dollar.contract.getFunction(
    'transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)',
  )
  await (await send(...argumentsOf(given), v, r, s)).wait()
}

async function refuses(t: ExecutionContext, sending: Promise<unknown>, name: string) {
  const error = await t.throwsAsync<Error & { data?: string }>(sending)
  t.is(dollar.contract.interface.parseError(error?.data ?? '0x')?.name ?? error?.message, name)
}

test.serial('the domain is the one that it is called by', async (t) => {
  t.is(await dollar.contract.getFunction('DOMAIN_SEPARATOR')(), hexlify(separator()))
  t.is(await dollar.contract.getFunction('version')(), '2')
  t.is(await dollar.contract.getFunction('decimals')(), 6n)
})

test.serial('anybody moves what was signed, once', async (t) => {
  await dollar.pay(signerOf(1).address, 100n)
  const given = authorizationOf()
  const { signature } = await signTransfer(signerOf(1), separator(), given)
  const state = dollar.contract.getFunction('authorizationState')
  t.false(await state(given.from, given.nonce))
  await transfer(given, signature)
  t.true(await state(given.from, given.nonce))
  t.is(await dollar.balance(given.to), 5n)
  t.deepEqual(await dollar.used(given.from), [given.nonce])
  await refuses(t, transfer(given, signature), 'AuthorizationUsedOrCanceled')
})

test.serial('with a signature in one piece as well', async (t) => {
  const given = authorizationOf()
  const { signature } = await signTransfer(signerOf(1), separator(), given)
  const send = dollar.contract.getFunction(
    'transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)',
  )
  await (await send(...argumentsOf(given), signature)).wait()
  t.is(await dollar.balance(given.to), 10n)
})

test.serial(
  'not before its time, not after it, not another amount, not by another account',
  async (t) => {
    const now = BigInt((await chain.provider.getBlock('latest'))?.timestamp ?? 0)
    const early = authorizationOf({ validAfter: now + 1000n })
    const late = authorizationOf({ validBefore: now })
    for (const [given, why] of [
      [early, 'NotYetValid'],
      [late, 'Expired'],
    ] as const) {
      const { signature } = await signTransfer(signerOf(1), separator(), given)
      await refuses(t, transfer(given, signature), why)
    }
    const given = authorizationOf()
    const { signature } = await signTransfer(signerOf(1), separator(), given)
    await refuses(t, transfer({ ...given, value: 6n }, signature), 'NotSigned')
    await refuses(t, transfer({ ...given, from: signerOf(3).address }, signature), 'NotSigned')
  },
)

test.serial('what was taken back moves nothing', async (t) => {
  const given = authorizationOf()
  const domain = {
    ...{ ...dollar.domain, chainId: chain.chainId, verifyingContract: dollar.address },
  }
  const types = {
    CancelAuthorization: [
      { name: 'authorizer', type: 'address' },
      { name: 'nonce', type: 'bytes32' },
    ],
  }
  const message = { authorizer: given.from, nonce: given.nonce }
  const { v, r, s } = Signature.from(await chain.wallet(1).signTypedData(domain, types, message))
  const cancel = dollar.contract.getFunction('cancelAuthorization')
  await (await cancel(given.from, given.nonce, v, r, s)).wait()
  const { signature } = await signTransfer(signerOf(1), separator(), given)
  await refuses(t, transfer(given, signature), 'AuthorizationUsedOrCanceled')
})

test.serial('what is for the payee to take nobody else takes', async (t) => {
  const given = authorizationOf()
  const domain = {
    ...{ ...dollar.domain, chainId: chain.chainId, verifyingContract: dollar.address },
  }
  const signature = await chain.wallet(1).signTypedData(domain, authorizationTypes, given)
  const receive = 'receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)'
  const { contract } = dollar
  await refuses(t, contract.getFunction(receive)(...argumentsOf(given), signature), 'NotPayee')
  const before = await dollar.balance(given.to)
  const ofPayee = contract.connect(chain.wallet(2)) as typeof contract
  await (await ofPayee.getFunction(receive)(...argumentsOf(given), signature)).wait()
  t.is((await dollar.balance(given.to)) - before, 5n)
})
