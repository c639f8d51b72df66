// Each weakness of the original that contract.md section 2 lists, with the attack written out.
import { readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { type ContractTransactionResponse, Signature, ZeroAddress } from 'ethers'
import { mostClosesTogether } from '../../receiver/settlement/policy.ts'
import {
  type ContractFixture,
  contractFixture,
  deployArtifact,
  hostileFixture,
  mined,
  owner,
  receiver,
  reverts,
  sender,
  stranger,
  undone,
} from '../support/contracts.ts'

let f: ContractFixture
test.before(async () => {
  f = await contractFixture()
})
test.after.always(() => f.chain.close())

function weakness(row: number, name: string, run: (t: ExecutionContext) => Promise<void>): void {
  test.serial(
    `row ${row}: ${name}`,
    undone(() => f, run),
  )
}

/** Several transactions in one block. */
async function inOneBlock(
  fixture: ContractFixture,
  send: () => Promise<readonly ContractTransactionResponse[]>,
) {
  const { provider } = fixture.chain
  await provider.send('evm_setAutomine', [false])
  const sent = await send()
  await provider.send('evm_mine', [])
  await provider.send('evm_setAutomine', [true])
  return Promise.all(sent.map(({ hash }) => provider.getTransactionReceipt(hash)))
}

weakness(1, 'a close request below what was withdrawn does not lock the channel', async (t) => {
  const block = await f.open(100n)
  await mined(f.as(receiver, 'withdraw')(block, 60n, f.proof(block, 60n)))
  const close = f.as(sender, 'uncooperativeClose')
  await reverts(t, close(f.account(receiver), block, 59n), 'BalanceUnderWithdrawn')
  const early = f.proof(block, 59n)
  await reverts(
    t,
    f.as(receiver, 'cooperativeClose')(f.account(receiver), block, 59n, early, '0x'),
    'BalanceUnderWithdrawn',
  )
  await mined(close(f.account(receiver), block, 60n))
  await f.chain.mine(501)
  const before = await f.balance(sender)
  await mined(f.as(sender, 'settle')(f.account(receiver), block))
  t.is(await f.balance(sender), before + 40n)
})

weakness(
  2,
  'a channel cannot end in its opening block, so no second one can have its name',
  async (t) => {
    const transfer = f.tokenAs(sender, 'transfer(address,uint256,bytes)')
    const openBlock = (await f.chain.provider.getBlockNumber()) + 1
    const gas = { gasLimit: 300_000 }
    const nonce = await f.chain.provider.getTransactionCount(f.account(sender))
    const [opened, byReceiver, bySender] = await inOneBlock(f, async () => [
      await transfer(f.address, 100n, f.openData(), { ...gas, nonce }),
      await f.as(receiver, 'cooperativeClose')(
        f.account(receiver),
        openBlock,
        40n,
        f.proof(openBlock, 40n),
        '0x',
        gas,
      ),
      await f.as(sender, 'uncooperativeClose')(f.account(receiver), openBlock, 0n, {
        ...gas,
        nonce: nonce + 1,
      }),
    ])
    t.deepEqual([opened?.status, byReceiver?.status, bySender?.status], [1, 0, 0])
    t.is(opened?.blockNumber, openBlock)
    // One block later it can end, and leaves nothing behind that a later channel could inherit.
    await mined(f.as(receiver, 'withdraw')(openBlock, 30n, f.proof(openBlock, 30n)))
    await mined(
      f.as(receiver, 'cooperativeClose')(
        f.account(receiver),
        openBlock,
        40n,
        f.proof(openBlock, 40n),
        '0x',
      ),
    )
    const key = await f.channels.getFunction('getKey')(
      f.account(sender),
      f.account(receiver),
      openBlock,
    )
    t.is(await f.channels.getFunction('withdrawn_balances')(key), 0n)
    t.deepEqual([...(await f.channels.getFunction('channels')(key))], [0n, 0n])
    await reverts(
      t,
      f.as(receiver, 'withdraw')(openBlock, 40n, f.proof(openBlock, 40n)),
      'ChannelNotFound',
    )
  },
)

weakness(3, 'a receiver that could never settle is refused', async (t) => {
  const token = await f.token.getAddress()
  for (const bad of [ZeroAddress, token, f.address]) {
    await reverts(t, f.as(sender, 'createChannel')(bad, 10n), 'InvalidReceiver')
    const data = f.account(sender) + bad.slice(2)
    await reverts(
      t,
      f.tokenAs(sender, 'transfer(address,uint256,bytes)')(f.address, 10n, data),
      'InvalidReceiver',
    )
  }
})

weakness(
  3,
  'a trusted contract cannot open for a sender that could never be paid back',
  async (t) => {
    const delegate = await deployArtifact(f.chain, 'Delegate', f.address)
    const address = await delegate.getAddress()
    await mined(f.tokenAs(owner, 'transfer(address,uint256)')(address, 100n))
    await mined(f.as(owner, 'addTrustedContracts')([address]))
    const to = f.account(receiver)
    for (const bad of [ZeroAddress, await f.token.getAddress(), f.address]) {
      await reverts(t, delegate.getFunction('createChannel')(bad, to, 10n), 'InvalidSender')
      const transfer = delegate.getFunction('transferWithData')
      await reverts(t, transfer(10n, bad + to.slice(2)), 'InvalidSender')
    }
    // Zero is what bytes that nobody signed recover to: the receiver could take all with them.
    t.is(await f.balance(f.address), 0n)
  },
)

weakness(4, 'a proof in the form that binds the chain is none on another chain', async (t) => {
  const block = await f.open(100n)
  await f.chain.mine(1)
  const { balanceProof } = await import('../../scripts/lib/sign.ts')
  const elsewhere = balanceProof({
    domain: { ...f.domain, chainId: 1n },
    receiver: f.account(receiver),
    openBlock: block,
    balance: 50n,
    key: f.chain.wallet(sender).privateKey,
  })
  await reverts(t, f.as(receiver, 'withdraw')(block, 50n, elsewhere), 'ChannelNotFound')
  await mined(f.as(receiver, 'withdraw')(block, 50n, f.proof(block, 50n)))
})

weakness(
  5,
  'the other signature that anybody can compute is refused; the compact form is taken',
  async (t) => {
    const block = await f.open(100n)
    const good = Signature.from(f.proof(block, 50n))
    const order = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n
    const s = (order - BigInt(good.s)).toString(16).padStart(64, '0')
    const malleated = `${good.r}${s}${good.v === 27 ? '1c' : '1b'}`
    const withdraw = f.as(receiver, 'withdraw')
    await reverts(t, withdraw(block, 50n, malleated), 'ChannelNotFound')
    await reverts(
      t,
      f.channels.getFunction('extractTypedBalanceProofSignature')(
        f.account(receiver),
        block,
        50n,
        malleated,
      ),
      'InvalidSignature',
    )
    // The lowest s that is too high leaves the highest bit free, so that it looks like a compact one.
    const justOver = `${good.r}7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1`
    for (const bad of [justOver, `${justOver}1b`]) {
      await reverts(t, withdraw(block, 50n, bad), 'ChannelNotFound')
    }
    await mined(withdraw(block, 50n, good.compactSerialized))
    for (const v of [good.v - 27, good.v]) {
      const signature = `${good.r}${good.s.slice(2)}${v.toString(16).padStart(2, '0')}`
      t.is(
        await f.channels.getFunction('extractTypedBalanceProofSignature')(
          f.account(receiver),
          block,
          50n,
          signature,
        ),
        f.account(sender),
      )
    }
    for (const v of ['02', '1a', '1d', 'ff']) {
      const signature = `${good.r}${good.s.slice(2)}${v}`
      await reverts(
        t,
        f.channels.getFunction('extractTypedBalanceProofSignature')(
          f.account(receiver),
          block,
          50n,
          signature,
        ),
        'InvalidSignature',
        `v ${v}`,
      )
    }
  },
)

weakness(6, 'nothing is transferred where nothing is due', async (t) => {
  for (const balance of [0n, 100n]) {
    const block = await f.open(100n)
    await f.chain.mine(1)
    const close = f.as(receiver, 'cooperativeClose')
    const at = await mined(
      close(f.account(receiver), block, balance, f.proof(block, balance), '0x'),
    )
    const transfers = await f.token.queryFilter('Transfer', at.block, at.block)
    t.is(transfers.length, 1)
  }
})

test('row 6: a token that returns nothing works', async (t) => {
  const silent = await hostileFixture('SilentToken')
  t.teardown(() => silent.chain.close())
  const block = await silent.openErc20(100n)
  await mined(silent.as(receiver, 'withdraw')(block, 10n, silent.proof(block, 10n)))
  await mined(
    silent.as(receiver, 'cooperativeClose')(
      silent.account(receiver),
      block,
      60n,
      silent.proof(block, 60n),
      '0x',
    ),
  )
  t.is(await silent.balance(receiver), 60n)
  t.is(await silent.balance(silent.address), 0n)
})

weakness(
  7,
  'the receiver needs no signature of its own when it sends the close, others need it',
  async (t) => {
    const block = await f.open(100n)
    await f.chain.mine(1)
    const close = (by: number) =>
      f.as(by, 'cooperativeClose')(f.account(receiver), block, 60n, f.proof(block, 60n), '0x')
    for (const by of [sender, stranger]) await reverts(t, close(by), 'InvalidClosingSignature')
    await mined(close(receiver))
    await reverts(t, f.info(block), 'ChannelNotFound')
  },
)

weakness(8, 'batches skip and report what fails, and do the rest', async (t) => {
  const [a, b, c] = [await f.open(100n), await f.open(100n), await f.open(100n, stranger)]
  const items = [
    f.item(a, 10n),
    f.item(b, 0n),
    f.item(a, 10n),
    f.item(a, 101n),
    f.item(9, 10n),
    f.item(c, 20n, stranger),
  ]
  const before = await f.balance(receiver)
  const withdrawn = await mined(f.as(receiver, 'withdrawBatch')(items))
  const skipped = (events: typeof withdrawn.events) =>
    events
      .filter(({ name }) => name === 'BatchItemSkipped')
      .map(({ args }) => [args[0], f.channels.interface.parseError(String(args[1]))?.name])
  t.deepEqual(skipped(withdrawn.events), [
    [1n, 'BalanceNotHigher'],
    [2n, 'BalanceNotHigher'],
    [3n, 'BalanceOverDeposit'],
    [4n, 'ChannelNotFound'],
  ])
  t.is(await f.balance(receiver), before + 30n)
  await mined(f.as(sender, 'uncooperativeClose')(f.account(receiver), b, 0n))
  const late = await mined(f.as(receiver, 'withdrawBatch')([f.item(b, 5n)]))
  t.deepEqual(skipped(late.events), [[0n, 'CloseRequested']])

  const closed = await mined(
    f.as(
      receiver,
      'cooperativeCloseBatch',
    )([
      f.item(a, 9n),
      f.item(a, 40n),
      f.item(a, 40n),
      f.item(b, 5n),
      f.item(c, 101n, stranger),
      f.item(c, 20n, stranger),
    ]),
  )
  t.deepEqual(skipped(closed.events), [
    [0n, 'BalanceUnderWithdrawn'],
    [2n, 'ChannelNotFound'],
    [4n, 'BalanceOverDeposit'],
  ])
  t.is(await f.balance(receiver), before + 30n + 30n + 5n)
  t.is(await f.balance(f.address), 0n)
  await mined(f.as(receiver, 'withdrawBatch')([]))
  await mined(f.as(receiver, 'cooperativeCloseBatch')([]))
})

const deadline = 2n ** 40n

async function permit(amount: bigint, until = deadline) {
  const field = (name: string, type: string) => ({ name, type })
  const { v, r, s } = Signature.from(
    await f.chain.wallet(sender).signTypedData(
      {
        name: 'CustomToken',
        version: '1',
        chainId: 31337,
        verifyingContract: await f.token.getAddress(),
      },
      {
        Permit: [
          field('owner', 'address'),
          field('spender', 'address'),
          field('value', 'uint256'),
          field('nonce', 'uint256'),
          field('deadline', 'uint256'),
        ],
      },
      {
        owner: f.account(sender),
        spender: f.address,
        value: amount,
        nonce: await f.token.getFunction('nonces')(f.account(sender)),
        deadline: until,
      },
    ),
  )
  return { v, r, s }
}

const noPermit = { v: 0, r: `0x${'00'.repeat(32)}`, s: `0x${'00'.repeat(32)}` }

async function signed(
  kind: 'OpenChannel' | 'TopUp',
  values: Record<string, unknown>,
  by = sender,
): Promise<string> {
  const field = (name: string, type: string) => ({ name, type })
  const parties = [field('sender', 'address'), field('receiver', 'address')]
  const once = [field('nonce', 'uint256'), field('deadline', 'uint256')]
  const types = {
    OpenChannel: [...parties, field('deposit', 'uint192'), ...once],
    TopUp: [
      ...parties,
      field('block_created', 'uint32'),
      field('added_deposit', 'uint192'),
      ...once,
    ],
  }
  const nonce = await f.channels.getFunction('nonces')(f.account(sender))
  return f.chain.wallet(by).signTypedData(
    {
      name: 'RaidenMicroTransferChannels',
      version: '1',
      chainId: 31337,
      verifyingContract: f.address,
    },
    { [kind]: types[kind] },
    { sender: f.account(sender), receiver: f.account(receiver), nonce, deadline, ...values },
  )
}

weakness(
  9,
  'a sender without ether opens and tops up: it signs, somebody else sends',
  async (t) => {
    await f.chain.provider.send('hardhat_setBalance', [f.account(sender), '0x0'])
    const parties = [f.account(sender), f.account(receiver)] as const
    const openFor = f.as(stranger, 'createChannelFor')
    const before = await f.balance(sender)
    const open = await signed('OpenChannel', { deposit: 50n })
    const { block } = await mined(openFor(...parties, 50n, deadline, await permit(50n), open))
    t.is((await f.info(block))[1], 50n)
    t.is(await f.balance(sender), before - 50n)
    await reverts(
      t,
      openFor(...parties, 50n, deadline, await permit(50n), open),
      'InvalidSenderSignature',
      'a second time',
    )

    const topUp = await signed('TopUp', { block_created: block, added_deposit: 7n })
    await mined(
      f.as(stranger, 'topUpFor')(...parties, block, 7n, deadline, await permit(7n), topUp),
    )
    t.is((await f.info(block))[1], 57n)
    t.is(await f.chain.provider.getBalance(f.account(sender)), 0n)
  },
)

weakness(
  9,
  'nobody changes what the sender signed, and it is good until its deadline only',
  async (t) => {
    const open = await signed('OpenChannel', { deposit: 50n })
    const openFor = f.as(stranger, 'createChannelFor')
    const [from, to] = [f.account(sender), f.account(receiver)]
    const p = await permit(50n)
    await reverts(
      t,
      openFor(from, f.account(stranger), 50n, deadline, p, open),
      'InvalidSenderSignature',
      'receiver',
    )
    await reverts(t, openFor(from, to, 51n, deadline, p, open), 'InvalidSenderSignature', 'deposit')
    await reverts(
      t,
      openFor(from, to, 50n, deadline + 1n, p, open),
      'InvalidSenderSignature',
      'deadline',
    )
    await reverts(
      t,
      openFor(ZeroAddress, to, 50n, deadline, p, `0x${'00'.repeat(65)}`),
      'InvalidSenderSignature',
      'nobody',
    )
    const byStranger = await signed('OpenChannel', { deposit: 50n }, stranger)
    await reverts(
      t,
      openFor(from, to, 50n, deadline, p, byStranger),
      'InvalidSenderSignature',
      'signer',
    )
    const { timestamp = 0 } = (await f.chain.provider.getBlock('latest')) ?? {}
    const past = await signed('OpenChannel', { deposit: 50n, deadline: timestamp - 1 })
    await reverts(t, openFor(from, to, 50n, timestamp - 1, noPermit, past), 'DeadlinePassed')
    const future = BigInt(timestamp) + 1000n
    await f.chain.provider.send('evm_setNextBlockTimestamp', [`0x${future.toString(16)}`])
    const exact = await signed('OpenChannel', { deposit: 50n, deadline: future })
    await mined(openFor(from, to, 50n, future, await permit(50n, future), exact))
  },
)

weakness(9, 'a permit that somebody used in front of us does no harm', async (t) => {
  const open = await signed('OpenChannel', { deposit: 50n })
  const p = await permit(50n)
  const used = f.tokenAs(stranger, 'permit')
  await mined(used(f.account(sender), f.address, 50n, deadline, p.v, p.r, p.s))
  await mined(
    f.as(stranger, 'createChannelFor')(
      f.account(sender),
      f.account(receiver),
      50n,
      deadline,
      p,
      open,
    ),
  )
  const direct = await permit(20n)
  await mined(used(f.account(sender), f.address, 20n, deadline, direct.v, direct.r, direct.s))
  const { block } = await mined(
    f.as(sender, 'createChannelWithPermit')(f.account(receiver), 20n, deadline, direct),
  )
  t.is((await f.info(block))[1], 20n)
  await reverts(
    t,
    f.as(sender, 'createChannelWithPermit')(f.account(receiver), 20n, deadline, direct),
    'TransferFromFailed',
    'a bad permit',
  )
})

weakness(9, 'with a standing allowance no permit is needed', async (t) => {
  await mined(f.tokenAs(sender, 'approve')(f.address, 50n))
  const open = await signed('OpenChannel', { deposit: 50n })
  const { block } = await mined(
    f.as(stranger, 'createChannelFor')(
      f.account(sender),
      f.account(receiver),
      50n,
      deadline,
      noPermit,
      open,
    ),
  )
  t.is((await f.info(block))[1], 50n)
})

weakness(10, 'anybody settles, and the tokens go where they belong', async (t) => {
  const block = await f.open(100n)
  await mined(f.as(sender, 'uncooperativeClose')(f.account(receiver), block, 30n))
  await f.chain.mine(501)
  const before = await Promise.all([sender, receiver, stranger].map((who) => f.balance(who)))
  await mined(f.as(stranger, 'settleFor')(f.account(sender), f.account(receiver), block))
  const after = await Promise.all([sender, receiver, stranger].map((who) => f.balance(who)))
  t.deepEqual(
    after.map((now, index) => now - (before[index] ?? 0n)),
    [70n, 30n, 0n],
  )
})

const refusals = ['a revert', 'false', 'rubbish'] as const

for (const [refusal, name] of refusals.entries()) {
  test(`row 11: a token that refuses the sender with ${name} does not keep the receiver from its tokens`, async (t) => {
    const b = await hostileFixture('BlockingToken')
    t.teardown(() => b.chain.close())
    const first = await b.openErc20(100n)
    const second = await b.openErc20(100n)
    await b.chain.mine(1)
    const block = b.tokenAs(owner, 'block_')
    await mined(block(b.account(sender), true, refusal))
    const closed = await mined(
      b.as(receiver, 'cooperativeClose')(
        b.account(receiver),
        first,
        60n,
        b.proof(first, 60n),
        '0x',
      ),
    )
    t.deepEqual(closed.events.at(-1), { name: 'PayoutCredited', args: [b.account(sender), 40n] })
    await mined(b.as(receiver, 'cooperativeCloseBatch')([b.item(second, 90n)]))
    t.is(await b.balance(receiver), 150n)
    t.is(await b.channels.getFunction('credits')(b.account(sender)), 50n)

    const collect = b.as(sender, 'collectCredit')
    await t.throwsAsync(collect(b.account(sender)))
    await reverts(t, b.as(stranger, 'collectCredit')(b.account(stranger)), 'NoCredit')
    const collected = await mined(collect(b.account(stranger)))
    t.deepEqual(collected.events[0], {
      name: 'CreditCollected',
      args: [b.account(sender), b.account(stranger), 50n],
    })
    t.is(await b.balance(stranger), 50n)
    t.is(await b.balance(b.address), 0n)
    await reverts(t, collect(b.account(stranger)), 'NoCredit', 'a second time')
  })
}

test('row 8: senders whose code burns all gas do not stop a batch: their shares become credits', async (t) => {
  const h = await hostileFixture('TellingToken')
  t.teardown(() => h.chain.close())
  const blocks = [await h.openErc20(100n), await h.openErc20(100n)]
  await h.chain.mine(1)
  // As an account with a key may have since EIP-7702: an endless loop.
  await h.chain.provider.send('hardhat_setCode', [h.account(sender), '0x5b600056'])
  const items = blocks.map((block) => h.item(block, 60n))
  await mined(h.as(receiver, 'cooperativeCloseBatch')(items, { gasLimit: 2_000_000 }))
  t.is(await h.balance(receiver), 120n)
  t.is(await h.channels.getFunction('credits')(h.account(sender)), 80n)
})

test('row 8: as many closes as the receiver puts together fit into a transaction, whoever burns gas', async (t) => {
  const h = await hostileFixture('TellingToken')
  t.teardown(() => h.chain.close())
  const blocks: number[] = []
  for (let count = 0; count < mostClosesTogether; count++) blocks.push(await h.openErc20(100n))
  await h.chain.mine(1)
  await h.chain.provider.send('hardhat_setCode', [h.account(sender), '0x5b600056'])
  const items = blocks.map((block) => h.item(block, 60n))
  const most = 1n << 24n
  const close = h.as(receiver, 'cooperativeCloseBatch')
  const sent = await close(items, { gasLimit: most })
  const { gasUsed = 0n } = (await sent.wait()) ?? {}
  t.is(await h.channels.getFunction('credits')(h.account(sender)), 40n * BigInt(blocks.length))
  // Each of as many senders writes a credit where there was none; here only the first did.
  const firstCredit = 22_100n - 5000n
  const worst = gasUsed + BigInt(blocks.length - 1) * firstCredit
  // A transaction is sent with a fifth more than its estimate.
  t.true((worst * 6n) / 5n < most, `${worst}`)
})

test('row 11: anybody has a credit paid to its account, which cannot call, and to no other', async (t) => {
  const b = await hostileFixture('BlockingToken')
  t.teardown(() => b.chain.close())
  const first = await b.openErc20(100n)
  await b.chain.mine(1)
  const block = b.tokenAs(owner, 'block_')
  await mined(block(b.account(sender), true, 0))
  await mined(b.as(receiver, 'cooperativeCloseBatch')([b.item(first, 60n)]))
  const collect = b.as(stranger, 'collectCreditFor')
  await t.throwsAsync(collect(b.account(sender)))
  t.is(await b.channels.getFunction('credits')(b.account(sender)), 40n)
  await mined(block(b.account(sender), false, 0))
  const before = await b.balance(sender)
  await mined(collect(b.account(sender)))
  t.is(await b.balance(sender), before + 40n)
  t.is(await b.balance(stranger), 0n)
  await reverts(t, collect(b.account(sender)), 'NoCredit', 'a second time')
})

test('row 11: a withdrawal that the token refuses leaves the channel as it was', async (t) => {
  const b = await hostileFixture('BlockingToken')
  t.teardown(() => b.chain.close())
  const block = await b.openErc20(100n)
  await mined(b.tokenAs(owner, 'block_')(b.account(receiver), true, 0))
  await reverts(t, b.as(receiver, 'withdraw')(block, 60n, b.proof(block, 60n)), 'TransferFailed')
  t.is((await b.info(block))[4], 0n)
})

test('hostile: a token that keeps a fee is refused at open and top up', async (t) => {
  const fee = await hostileFixture('FeeToken')
  t.teardown(() => fee.chain.close())
  await reverts(t, fee.openErc20(1000n), 'UnexpectedTransferAmount')
  t.is(await fee.balance(fee.address), 0n)
  // Too little for a hundredth: no fee, so it opens, and the next top-up is refused.
  const block = await fee.openErc20(99n)
  await mined(fee.tokenAs(sender, 'approve')(fee.address, 1000n))
  await reverts(
    t,
    fee.as(sender, 'topUp')(fee.account(receiver), block, 1000n),
    'UnexpectedTransferAmount',
  )
  t.is((await fee.info(block))[1], 99n)
})

test('hostile: a token that calls back cannot count tokens twice or end a channel twice', async (t) => {
  const h = await hostileFixture('CallingToken')
  t.teardown(() => h.chain.close())
  const call = h.tokenAs(owner, 'callWhileMoving')
  const token = await h.token.getAddress()
  const answer = async () =>
    h.channels.interface.parseError(await h.token.getFunction('answer')())?.name
  await mined(h.tokenAs(sender, 'approve')(h.address, 1000n))

  // While tokens are pulled, the token claims that others have arrived.
  const fallback = h.token.interface.encodeFunctionData('tokenFallbackOf', [
    h.address,
    h.account(sender),
    50n,
    h.openData(sender, stranger),
  ])
  await mined(call(token, fallback))
  const { block } = await mined(h.as(sender, 'createChannel')(h.account(receiver), 100n))
  t.false(await h.token.getFunction('succeeded')())
  t.is(await answer(), 'Reentrancy')
  await reverts(t, h.info(block, sender, stranger), 'ChannelNotFound')

  // While tokens are pulled, others are to be pulled too: in the name of a trusted contract.
  await mined(h.as(owner, 'addTrustedContracts')([token]))
  const second = [h.account(sender), h.account(receiver), block, 50n] as const
  await mined(call(h.address, h.channels.interface.encodeFunctionData('topUpDelegate', second)))
  await mined(h.as(sender, 'topUp')(h.account(receiver), block, 1n))
  t.is(await answer(), 'Reentrancy')
  t.is((await h.info(block))[1], 101n)

  // While a channel is paid out, it is closed once more.
  await h.chain.mine(1)
  const args = [h.account(receiver), block, 60n, h.proof(block, 60n), h.agreement(block, 60n)]
  await mined(call(h.address, h.channels.interface.encodeFunctionData('cooperativeClose', args)))
  await mined(h.as(stranger, 'cooperativeClose')(...args))
  t.true(await h.token.getFunction('called')())
  t.false(await h.token.getFunction('succeeded')())
  t.is(await answer(), 'ChannelNotFound')
  t.is(await h.balance(receiver), 60n)
  t.is(await h.balance(h.address), 0n)
})

weakness(12, 'the limit is what the slot holds, whatever the decimals', async (t) => {
  t.is(await f.channels.getFunction('channel_deposit_bugbounty_limit')(), 2n ** 72n - 1n)
  const over = 100n * 10n ** 18n + 1n
  const block = await f.open(over)
  t.is((await f.info(block))[1], over)
})

weakness(
  13,
  'a dishonest close is answered by anybody with a balance proof alone, and settles nothing else',
  async (t) => {
    const block = await f.open(100n)
    const challenge = (balance: bigint, proof = f.proof(block, balance)) =>
      f.as(stranger, 'challenge')(f.account(receiver), block, balance, proof)
    await reverts(t, challenge(60n), 'CloseNotRequested')
    const requested = await mined(
      f.as(sender, 'uncooperativeClose')(f.account(receiver), block, 10n),
    )
    await reverts(t, challenge(10n), 'BalanceNotHigher')
    await reverts(t, challenge(9n), 'BalanceNotHigher')
    await reverts(t, challenge(101n), 'BalanceOverDeposit')
    await reverts(t, challenge(60n, f.proof(block, 59n)), 'ChannelNotFound')
    const raised = await mined(challenge(60n, f.proof(block, 60n, 'seed')))
    t.deepEqual(raised.events, [
      {
        name: 'ChannelChallenged',
        args: [f.account(sender), f.account(receiver), BigInt(block), 60n],
      },
    ])
    t.deepEqual([...(await f.info(block))].slice(1), [100n, BigInt(requested.block + 500), 60n, 0n])
    await reverts(t, challenge(60n), 'BalanceNotHigher')

    const last = requested.block + 500
    await f.chain.mine(last - 1 - (await f.chain.provider.getBlockNumber()))
    t.is((await mined(challenge(70n))).block, last)
    await reverts(t, challenge(80n), 'ChallengePeriodOver')
    const before = await f.balance(receiver)
    await mined(f.as(stranger, 'settleFor')(f.account(sender), f.account(receiver), block))
    t.is(await f.balance(receiver), before + 70n)
  },
)

weakness(14, 'the second open of a pair in one block is refused with its own error', async (t) => {
  const transfer = f.tokenAs(sender, 'transfer(address,uint256,bytes)')
  const nonce = await f.chain.provider.getTransactionCount(f.account(sender))
  const gas = { gasLimit: 300_000 }
  const [first, second] = await inOneBlock(f, async () => [
    await transfer(f.address, 10n, f.openData(), { ...gas, nonce }),
    await transfer(f.address, 10n, f.openData(), { ...gas, nonce: nonce + 1 }),
  ])
  t.deepEqual([first?.status, second?.status], [1, 0])
  const trace = await f.chain.provider.send('debug_traceTransaction', [
    second?.hash,
    { disableStorage: true },
  ])
  t.is(
    f.channels.interface.parseError(`0x${trace.returnValue.replace(/^0x/, '')}`)?.name,
    'ChannelExists',
  )
})

test('the worked cases of the specification, on code placed at their addresses', async (t) => {
  const cases = JSON.parse(
    readFileSync(new URL('../protocol/balance-proofs.json', import.meta.url), 'utf8'),
  )
  const c = await contractFixture()
  t.teardown(() => c.chain.close())
  const code = await c.chain.provider.getCode(c.address)
  for (const given of cases) {
    await c.chain.provider.send('hardhat_setCode', [given.contract, code])
    const at = c.channels.attach(given.contract) as typeof c.channels
    const args = [given.open_block_number, given.balance] as const
    const { sender: from, receiver: to } = given
    t.is(
      await at.getFunction('extractBalanceProofSignature')(
        to,
        ...args,
        given.balance_proof_signature,
      ),
      from,
    )
    t.is(
      await at.getFunction('extractClosingSignature')(from, ...args, given.closing_signature),
      to,
    )
    t.is(await at.getFunction('getKey')(from, to, given.open_block_number), given.channel_key)
  }
})
