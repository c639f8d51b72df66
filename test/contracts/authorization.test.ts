// Channels opened with one signature, an EIP-3009 authorization: sent by anybody, good for one channel, and only for
// the receiver that it names.
import test, { type ExecutionContext } from 'ava'
import {
  type BytesLike,
  hexlify,
  keccak256,
  randomBytes,
  Signature,
  solidityPackedKeccak256,
  ZeroHash,
} from 'ethers'
import { channelKey } from '../../protocol/index.ts'
import { authorizationTypes } from '../support/authorization-types.ts'
import {
  type ContractFixture,
  contractFixture,
  deployArtifact,
  hostileFixture,
  mined,
  receiver,
  reverts,
  sender,
  stranger,
  undone,
} from '../support/contracts.ts'

let f: ContractFixture
test.before(async () => {
  f = await hostileFixture('AuthorizingToken')
})
test.after.always(() => f.chain.close())

function behaviour(name: string, run: (t: ExecutionContext) => Promise<void>): void {
  test.serial(
    name,
    undone(() => f, run),
  )
}

interface Terms {
  readonly from: string
  readonly to: string
  readonly deposit: bigint
  readonly validAfter: bigint
  readonly validBefore: bigint
  readonly salt: string
}

const forever = 2n ** 64n - 1n

function termsOf(changes: Partial<Terms> = {}): Terms {
  return {
    ...{ from: f.account(sender), to: f.account(receiver), deposit: 100n },
    ...{ validAfter: 0n, validBefore: forever, salt: hexlify(randomBytes(32)) },
    ...changes,
  }
}

/** As a wallet signs it; the account that signs it by default is the sender's. */
async function authorise(terms: Terms, { by = sender, payee = f.address as string } = {}) {
  const { from, to, deposit: value, validAfter, validBefore, salt } = terms
  const domain = {
    ...{ name: 'Test', version: '1', chainId: f.chain.chainId },
    verifyingContract: await f.token.getAddress(),
  }
  const nonce = solidityPackedKeccak256(['address', 'bytes32'], [to, salt])
  const message = { from, to: payee, value, validAfter, validBefore, nonce }
  return f.chain.wallet(by).signTypedData(domain, authorizationTypes, message)
}

function open(terms: Terms, authorization: BytesLike, by = stranger) {
  const { from, to, deposit, validAfter, validBefore, salt } = terms
  return f.as(
    by,
    'createChannelWithAuthorization',
  )(...[from, to, deposit, validAfter, validBefore, salt, authorization])
}

behaviour(
  'anybody opens it for the sender, who signs once and has no ether to spend',
  async (t) => {
    const terms = termsOf()
    const before = await f.balance(sender)
    const { block, events } = await mined(open(terms, await authorise(terms)))
    t.deepEqual(events, [
      { name: 'ChannelCreated', args: [f.account(sender), f.account(receiver), 100n] },
    ])
    t.is(await f.balance(sender), before - 100n)
    t.is(await f.balance(f.address), 100n)
    const name = { sender: f.account(sender), receiver: f.account(receiver), openBlock: block }
    t.deepEqual([...(await f.info(block))], [channelKey(name), 100n, 0n, 0n, 0n])
    await f.chain.mine(1)
    const close = f.as(receiver, 'cooperativeClose')
    await mined(close(f.account(receiver), block, 60n, f.proof(block, 60n), '0x'))
    t.is(await f.balance(receiver), 60n)
    t.is(await f.balance(sender), before - 60n)
  },
)

behaviour('it opens what it says, and nothing else', async (t) => {
  const terms = termsOf()
  const authorization = await authorise(terms)
  const now = BigInt((await f.chain.provider.getBlock('latest'))?.timestamp ?? 0)
  const others: readonly (readonly [string, Partial<Terms>])[] = [
    ['another receiver', { to: f.account(stranger) }],
    ['more', { deposit: 101n }],
    ['less', { deposit: 99n }],
    ['another salt', { salt: ZeroHash }],
    ['a later beginning', { validAfter: 1n }],
    ['an earlier end', { validBefore: forever - 1n }],
    ['another sender', { from: f.account(stranger) }],
  ]
  for (const [name, change] of others) {
    await reverts(t, open({ ...terms, ...change }, authorization), 'TransferFromFailed', name)
  }
  for (const [name, given] of [
    ['by another account', await authorise(terms, { by: stranger })],
    ['to another payee', await authorise(terms, { payee: f.account(stranger) })],
    ['cut', authorization.slice(0, -4)],
    ['longer', `${authorization}00`],
    ['none', '0x'],
  ] as const) {
    await reverts(t, open(terms, given), 'TransferFromFailed', name)
  }
  for (const [name, change] of [
    ['not yet', { validAfter: now + 1_000_000n }],
    ['over', { validBefore: now }],
  ] as const) {
    const late = termsOf(change)
    await reverts(t, open(late, await authorise(late)), 'TransferFromFailed', name)
  }
  t.is(await f.balance(f.address), 0n)
  await mined(open(terms, authorization))
  await reverts(t, open(terms, authorization), 'TransferFromFailed', 'twice')
  t.is(await f.balance(f.address), 100n)
})

behaviour(
  'the bounds of every opening hold: amounts, receivers, one of a pair in a block',
  async (t) => {
    for (const [name, change] of [
      ['ZeroAmount', { deposit: 0n }],
      ['DepositTooLarge', { deposit: 2n ** 72n }],
      ['InvalidReceiver', { to: f.address }],
      ['InvalidReceiver', { to: await f.token.getAddress() }],
    ] as const) {
      const terms = termsOf(change)
      await reverts(t, open(terms, await authorise(terms)), name)
    }
  },
)

behaviour('a token that moves another amount opens nothing', async (t) => {
  await mined(f.tokenAs(sender, 'keep')(1n))
  const terms = termsOf()
  await reverts(t, open(terms, await authorise(terms)), 'UnexpectedTransferAmount')
})

behaviour(
  'a token that calls back meanwhile opens no second channel with the same tokens',
  async (t) => {
    const fallback = f.channels.interface.encodeFunctionData('tokenFallback', [
      f.account(sender),
      100n,
      f.openData(),
    ])
    const again = termsOf({ to: f.account(stranger) })
    const opening = f.channels.interface.encodeFunctionData('createChannelWithAuthorization', [
      ...[again.from, again.to, again.deposit, again.validAfter, again.validBefore, again.salt],
      await authorise(again),
    ])
    for (const [calls, opened] of [
      [fallback, 1n],
      [opening, 2n],
    ] as const) {
      await mined(f.tokenAs(sender, 'sayFirst')(calls))
      const terms = termsOf()
      // The token goes on because its call was refused.
      await mined(open(terms, await authorise(terms)))
      t.is(await f.balance(f.address), opened * 100n)
    }
  },
)

behaviour('a smart wallet authorises with bytes of its own form', async (t) => {
  const word = hexlify(randomBytes(97))
  const wallet = await deployArtifact(f.chain, 'SmartWallet', word)
  const from = await wallet.getAddress()
  await mined(f.tokenAs(sender, 'transfer(address,uint256)')(from, 100n))
  const terms = termsOf({ from })
  await reverts(t, open(terms, keccak256(word)), 'TransferFromFailed')
  const { events } = await mined(open(terms, word))
  t.deepEqual(events, [{ name: 'ChannelCreated', args: [from, f.account(receiver), 100n] }])
})

test.serial('a token that knows no authorizations opens nothing', async (t) => {
  const plain = await contractFixture()
  try {
    const salt = hexlify(randomBytes(32))
    const signature = Signature.from({
      r: `0x${'11'.repeat(32)}`,
      s: `0x${'11'.repeat(32)}`,
      v: 27,
    })
    const opening = plain.as(stranger, 'createChannelWithAuthorization')
    const [from, to] = [plain.account(sender), plain.account(receiver)]
    for (const authorization of [signature.serialized, '0x', `0x${'00'.repeat(96)}`]) {
      await reverts(
        t,
        opening(from, to, 100n, 0n, forever, salt, authorization),
        'TransferFromFailed',
      )
    }
  } finally {
    await plain.chain.close()
  }
})
