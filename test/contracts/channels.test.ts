// The behaviours of contract.md section 3, one after the other on one chain: each test goes back to
// the state before it.

import test, { type ExecutionContext } from 'ava'
import { ContractFactory, ZeroAddress } from 'ethers'
import { channelsAbi } from '../../contracts/abi/channels.ts'
import { channelKey } from '../../protocol/index.ts'
import { channelsCode } from '../lab/chains/embedded-chain.ts'
import {
  type ContractFixture,
  contractFixture,
  deployArtifact,
  mined,
  owner,
  receiver,
  reverts,
  sender,
  stranger,
} from '../support/contracts.ts'

// The original's fixtures: decimals and challenge period, deposit and final balance, way of opening.
const setups = [
  { decimals: 18, challengePeriod: 500 },
  { decimals: 0, challengePeriod: 502 },
] as const
const unit = 10n ** 18n

for (const setup of setups) {
  const { decimals, challengePeriod } = setup
  const of = (amount: bigint) => (decimals === 0 ? amount / unit : amount)
  const cases = [
    { deposit: 450n, balance: 0n, way: 'ERC-20' as const },
    { deposit: of(100n * unit), balance: of(55n * unit), way: 'ERC-223' as const },
    { deposit: of(100n * unit), balance: of(100n * unit), way: 'ERC-223' as const },
  ]
  let f: ContractFixture
  let goBack: () => Promise<void>
  test.before(async () => {
    f = await contractFixture(setup)
  })
  test.after.always(() => f.chain.close())
  const behaviour = (name: string, run: (t: ExecutionContext) => Promise<void>) =>
    test.serial(`decimals ${decimals}: ${name}`, async (t) => {
      goBack = await f.chain.snapshot()
      await run(t)
      await goBack()
    })

  behaviour('constants say what was deployed', async (t) => {
    t.is(await f.channels.getFunction('token')(), await f.token.getAddress())
    t.is(await f.channels.getFunction('challenge_period')(), BigInt(challengePeriod))
    t.is(await f.channels.getFunction('owner_address')(), f.account(owner))
    t.is(await f.channels.getFunction('version')(), '0.4.0')
    t.is(await f.channels.getFunction('channel_deposit_bugbounty_limit')(), 2n ** 72n - 1n)
    t.is(await f.token.getFunction('decimals')(), BigInt(decimals))
    t.is(await f.token.getFunction('symbol')(), 'TKN')
    t.is(await f.balance(f.address), 0n)
    t.is(await f.chain.provider.getBalance(f.address), 0n)
    const { name, version, chainId, verifyingContract } =
      await f.channels.getFunction('eip712Domain')()
    t.deepEqual(
      [name, version, chainId, verifyingContract],
      ['RaidenMicroTransferChannels', '1', 31337n, f.address],
    )
  })

  for (const { deposit, balance, way } of cases) {
    const title = `a channel of ${deposit}, balance ${balance}, opened by ${way}`
    const open = () => (way === 'ERC-20' ? f.openErc20(deposit) : f.open(deposit))

    behaviour(`${title}: event and state`, async (t) => {
      const before = await Promise.all([
        f.balance(f.address),
        f.balance(sender),
        f.balance(receiver),
      ])
      const block = await open()
      t.deepEqual(
        await Promise.all([f.balance(f.address), f.balance(sender), f.balance(receiver)]),
        [before[0] + deposit, before[1] - deposit, before[2]],
      )
      const key = channelKey({
        sender: f.account(sender),
        receiver: f.account(receiver),
        openBlock: block,
      })
      t.deepEqual([...(await f.info(block))], [key, deposit, 0n, 0n, 0n])
      t.deepEqual([...(await f.channels.getFunction('channels')(key))], [deposit, BigInt(block)])
      t.deepEqual([...(await f.channels.getFunction('closing_requests')(key))], [0n, 0n])
      t.is(await f.channels.getFunction('withdrawn_balances')(key), 0n)
      t.is(
        await f.channels.getFunction('getKey')(f.account(sender), f.account(receiver), block),
        key,
      )
      const [created] = await f.channels.queryFilter('ChannelCreated', block, block)
      t.deepEqual(created && 'args' in created ? [...created.args] : [], [
        f.account(sender),
        f.account(receiver),
        deposit,
      ])
    })

    for (const by of [sender, receiver, stranger]) {
      for (const inChallengePeriod of [false, true]) {
        const when = inChallengePeriod ? ' in the challenge period' : ''
        behaviour(
          `${title}: closed cooperatively by account ${by}${when}, paid to the unit`,
          async (t) => {
            const block = await open()
            const before = await Promise.all([
              f.balance(f.address),
              f.balance(sender),
              f.balance(receiver),
            ])
            await f.chain.mine(1)
            if (inChallengePeriod)
              await mined(f.as(sender, 'uncooperativeClose')(f.account(receiver), block, 0n))
            const close = f.as(by, 'cooperativeClose')
            const args = [
              f.account(receiver),
              block,
              balance,
              f.proof(block, balance),
              f.agreement(block, balance),
            ] as const
            const { events } = await mined(close(...args))
            t.deepEqual(events, [
              {
                name: 'ChannelSettled',
                args: [f.account(sender), f.account(receiver), BigInt(block), balance, balance],
              },
            ])
            t.deepEqual(
              await Promise.all([f.balance(f.address), f.balance(sender), f.balance(receiver)]),
              [before[0] - deposit, before[1] + deposit - balance, before[2] + balance],
            )
            await reverts(t, f.info(block), 'ChannelNotFound')
            await reverts(t, close(...args), 'ChannelNotFound')
            await reverts(
              t,
              f.tokenAs(sender, 'transfer(address,uint256,bytes)')(
                f.address,
                1n,
                f.topUpData(block),
              ),
              'ChannelNotFound',
            )
          },
        )
      }
    }

    behaviour(`${title}: closed uncooperatively and settled`, async (t) => {
      const block = await open()
      const before = await Promise.all([
        f.balance(f.address),
        f.balance(sender),
        f.balance(receiver),
      ])
      const close = f.as(sender, 'uncooperativeClose')
      await reverts(
        t,
        f.as(receiver, 'uncooperativeClose')(f.account(receiver), block, 0n),
        'ChannelNotFound',
        'the receiver',
      )
      await reverts(
        t,
        f.as(stranger, 'uncooperativeClose')(f.account(receiver), block, 0n),
        'ChannelNotFound',
        'a stranger',
      )
      await reverts(
        t,
        close(f.account(receiver), block + 1, 0n),
        'ChannelNotFound',
        'another block',
      )
      await reverts(t, close(f.account(receiver), block, deposit + 1n), 'BalanceOverDeposit')
      await reverts(t, f.as(sender, 'settle')(f.account(receiver), block), 'CloseNotRequested')
      const requested = await mined(close(f.account(receiver), block, balance))
      t.deepEqual(requested.events, [
        {
          name: 'ChannelCloseRequested',
          args: [f.account(sender), f.account(receiver), BigInt(block), balance],
        },
      ])
      const settleBlock = BigInt(requested.block + challengePeriod)
      const key = channelKey({
        sender: f.account(sender),
        receiver: f.account(receiver),
        openBlock: block,
      })
      t.deepEqual([...(await f.info(block))], [key, deposit, settleBlock, balance, 0n])
      t.deepEqual(
        [...(await f.channels.getFunction('closing_requests')(key))],
        [balance, settleBlock],
      )
      t.deepEqual([...(await f.channels.getFunction('channels')(key))], [deposit, 0n])
      await reverts(
        t,
        close(f.account(receiver), block, balance),
        'CloseRequested',
        'a second request',
      )

      const settle = f.as(sender, 'settle')
      await reverts(t, settle(f.account(receiver), block), 'ChallengePeriodNotOver', 'at the start')
      // The transaction is in the block after the head: this is the last one of the period.
      await f.chain.mine(challengePeriod - 1)
      await reverts(
        t,
        settle(f.account(receiver), block),
        'ChallengePeriodNotOver',
        'in the last block',
      )
      await f.chain.mine(1)
      t.is((await mined(settle(f.account(receiver), block))).events[0]?.name, 'ChannelSettled')
      t.deepEqual(
        await Promise.all([f.balance(f.address), f.balance(sender), f.balance(receiver)]),
        [before[0] - deposit, before[1] + deposit - balance, before[2] + balance],
      )
      await reverts(t, settle(f.account(receiver), block), 'ChannelNotFound', 'a second time')
    })
  }

  behaviour(
    'a transfer whose data is neither 40 nor 44 bytes, or not from the token, opens nothing',
    async (t) => {
      const transfer = f.tokenAs(sender, 'transfer(address,uint256,bytes)')
      for (const length of [0, 10, 39, 41, 43, 45]) {
        const data = `${f.openData()}${'00'.repeat(8)}`.slice(0, 2 + 2 * length)
        await reverts(t, transfer(f.address, 10n, data), 'InvalidData', `${length} bytes`)
      }
      await reverts(
        t,
        transfer(f.address, 10n, f.openData(stranger)),
        'NotTrusted',
        'for somebody else',
      )
      await reverts(t, transfer(f.address, 0n, f.openData()), 'ZeroAmount')
      for (const account of [sender, owner]) {
        await reverts(
          t,
          f.as(account, 'tokenFallback')(f.account(sender), 10n, f.openData()),
          'NotToken',
        )
      }
    },
  )

  // With 0 decimals the whole supply is below the limit.
  if (decimals > 0)
    behaviour('a deposit fits its bits to the last unit, opened and topped up', async (t) => {
      const limit = 2n ** 72n - 1n
      const rich = f.tokenAs(owner, 'transfer(address,uint256,bytes)')

      await reverts(t, rich(f.address, limit + 1n, f.openData(owner)), 'DepositTooLarge')
      await reverts(t, rich(f.address, 2n ** 80n, f.openData(owner)), 'DepositTooLarge')
      const { block } = await mined(rich(f.address, limit - 1n, f.openData(owner)))
      await reverts(t, rich(f.address, 2n, f.topUpData(block, owner)), 'DepositTooLarge')
      await mined(rich(f.address, 1n, f.topUpData(block, owner)))
      t.is((await f.info(block, owner))[1], limit)
    })

  behaviour('ERC-20 without approval moves nothing', async (t) => {
    const before = await f.balance(sender)
    await reverts(t, f.as(sender, 'createChannel')(f.account(receiver), 10n), 'TransferFromFailed')
    const block = await f.open(10n)
    await reverts(t, f.as(sender, 'topUp')(f.account(receiver), block, 10n), 'TransferFromFailed')
    t.is(await f.balance(sender), before - 10n)
  })

  for (const way of ['ERC-20', 'ERC-223'] as const) {
    behaviour(`top up by ${way}: event, state, and who and what is refused`, async (t) => {
      const block = await f.open(10n)
      const topUp = async (amount: bigint, from = sender, to = receiver, openBlock = block) => {
        if (way === 'ERC-223') {
          return mined(
            f.tokenAs(from, 'transfer(address,uint256,bytes)')(
              f.address,
              amount,
              f.topUpData(openBlock, from, to),
            ),
          )
        }
        await mined(f.tokenAs(from, 'approve')(f.address, amount))
        return mined(f.as(from, 'topUp')(f.account(to), openBlock, amount))
      }
      const before = await f.balance(sender)
      const { block: at } = await topUp(5n)
      t.is(await f.balance(sender), before - 5n)
      t.is((await f.info(block))[1], 15n)
      const [event] = await f.channels.queryFilter('ChannelToppedUp', at, at)
      t.deepEqual(event && 'args' in event ? [...event.args] : [], [
        f.account(sender),
        f.account(receiver),
        BigInt(block),
        5n,
      ])
      await reverts(t, topUp(0n), 'ZeroAmount')
      await reverts(t, topUp(5n, stranger), 'ChannelNotFound', 'not the sender')
      await reverts(t, topUp(5n, sender, stranger), 'ChannelNotFound', 'another receiver')
      await reverts(t, topUp(5n, sender, receiver, block + 1), 'ChannelNotFound', 'another block')
      await mined(f.as(sender, 'uncooperativeClose')(f.account(receiver), block, 0n))
      await reverts(t, topUp(5n), 'CloseRequested')
    })
  }

  behaviour('cooperativeClose: signatures that are not the right ones close nothing', async (t) => {
    const block = await f.open(100n)
    await f.chain.mine(1)
    const good = f.proof(block, 60n)
    const agreed = f.agreement(block, 60n)
    const close = (
      over: { to?: string; at?: number; balance?: bigint; proof?: string; closing?: string },
      by = stranger,
    ) =>
      f.as(by, 'cooperativeClose')(
        over.to ?? f.account(receiver),
        over.at ?? block,
        over.balance ?? 60n,
        over.proof ?? good,
        over.closing ?? agreed,
      )
    const noProof = [
      '0x',
      '0x00',
      `0x${'00'.repeat(65)}`,
      good.slice(0, -4),
      `${good}00`,
      `0x${'ff'.repeat(65)}`,
    ]
    for (const proof of noProof)
      await reverts(t, close({ proof }), 'ChannelNotFound', `proof ${proof.slice(0, 12)}`)
    const noAgreement = ['0x', '0x00', `0x${'00'.repeat(65)}`, agreed.slice(0, -4), `${agreed}00`]
    for (const closing of noAgreement) {
      await reverts(
        t,
        close({ closing }),
        'InvalidClosingSignature',
        `agreement ${closing.slice(0, 12)}`,
      )
      if (closing !== '0x')
        await reverts(t, close({ closing }, receiver), 'InvalidClosingSignature')
    }
    await reverts(
      t,
      close({}, sender).then(() => close({ to: f.account(stranger) })),
      'ChannelNotFound',
      'another receiver',
    )
    const second = await f.open(100n)
    await f.chain.mine(1)
    await reverts(t, close({ at: second }), 'ChannelNotFound', 'signatures of another block')
    const fresh = (balance: bigint) => ({
      at: second,
      balance,
      proof: f.proof(second, 60n),
      closing: f.agreement(second, 60n),
    })
    await reverts(t, close(fresh(59n)), 'ChannelNotFound', 'one unit less')
    await reverts(t, close(fresh(61n)), 'ChannelNotFound', 'one unit more')
    await reverts(
      t,
      close({ ...fresh(60n), proof: f.proof(second, 59n) }),
      'ChannelNotFound',
      'the sender signed another',
    )
    await reverts(
      t,
      close({ ...fresh(60n), closing: f.agreement(second, 59n) }),
      'InvalidClosingSignature',
      'the receiver signed another',
    )
    await reverts(
      t,
      close({ ...fresh(101n), proof: f.proof(second, 101n), closing: f.agreement(second, 101n) }),
      'BalanceOverDeposit',
    )
    const third = f.agreement(second, 60n, 'eip712', stranger)
    await reverts(
      t,
      close({ ...fresh(60n), closing: third }),
      'InvalidClosingSignature',
      'another receiver’s agreement',
    )
  })

  behaviour('both forms of both signatures close, and with 64 bytes too', async (t) => {
    for (const proofForm of ['eip712', 'seed'] as const) {
      for (const closingForm of ['eip712', 'seed'] as const) {
        const block = await f.open(10n)
        await f.chain.mine(1)
        const [r, vs] = f.item(block, 4n).slice(2)
        const proof =
          proofForm === 'eip712' ? `${r}${String(vs).slice(2)}` : f.proof(block, 4n, 'seed')
        await mined(
          f.as(stranger, 'cooperativeClose')(
            f.account(receiver),
            block,
            4n,
            proof,
            f.agreement(block, 4n, closingForm),
          ),
        )
        await reverts(t, f.info(block), 'ChannelNotFound')
      }
    }
  })

  behaviour('withdraw pays the difference each time, and a close after it the rest', async (t) => {
    const block = await f.open(100n)
    const withdraw = (balance: bigint, proof = f.proof(block, balance), by = receiver) =>
      f.as(by, 'withdraw')(block, balance, proof)
    await reverts(t, withdraw(0n), 'BalanceNotHigher')
    await reverts(t, withdraw(101n), 'BalanceOverDeposit')
    await reverts(
      t,
      withdraw(10n, f.proof(block, 10n, 'eip712', stranger)),
      'ChannelNotFound',
      'a proof of somebody else',
    )
    await reverts(
      t,
      withdraw(10n, f.proof(block, 10n), stranger),
      'ChannelNotFound',
      'not the receiver',
    )
    const before = await f.balance(receiver)
    const { events } = await mined(withdraw(10n))
    t.deepEqual(events, [
      {
        name: 'ChannelWithdraw',
        args: [f.account(sender), f.account(receiver), BigInt(block), 10n],
      },
    ])
    t.is(await f.balance(receiver), before + 10n)
    await reverts(t, withdraw(10n), 'BalanceNotHigher', 'the same again')
    await mined(withdraw(35n, f.proof(block, 35n, 'seed')))
    t.is(await f.balance(receiver), before + 35n)
    t.is((await f.info(block))[4], 35n)
    await mined(f.as(sender, 'uncooperativeClose')(f.account(receiver), block, 40n))
    await reverts(t, withdraw(50n), 'CloseRequested')
    const closed = await mined(
      f.as(receiver, 'cooperativeClose')(
        f.account(receiver),
        block,
        50n,
        f.proof(block, 50n),
        '0x',
      ),
    )
    t.deepEqual(closed.events[0]?.args.slice(3), [50n, 15n])
    t.is(await f.balance(receiver), before + 50n)
  })

  behaviour('a delegate opens and tops up both ways while it is trusted', async (t) => {
    const delegate = await deployArtifact(f.chain, 'Delegate', f.address)
    const address = await delegate.getAddress()
    await mined(f.tokenAs(owner, 'transfer(address,uint256)')(address, 100n))
    const call = (method: string, ...args: readonly unknown[]) =>
      delegate.getFunction(method)(...args)
    const parties = [f.account(sender), f.account(receiver)] as const
    await reverts(t, call('createChannel', ...parties, 10n), 'NotTrusted')
    await reverts(t, f.as(stranger, 'addTrustedContracts')([address]), 'NotOwner')
    const added = await mined(f.as(owner, 'addTrustedContracts')([address, f.account(stranger)]))
    t.deepEqual(added.events, [{ name: 'TrustedContract', args: [address, true] }])
    t.true(await f.channels.getFunction('trusted_contracts')(address))
    t.false(await f.channels.getFunction('trusted_contracts')(f.account(stranger)))

    const { block: first } = await mined(call('createChannel', ...parties, 10n))
    await mined(call('topUp', ...parties, first, 5n))
    const byStranger = delegate.connect(f.chain.wallet(stranger)) as typeof delegate
    await t.throwsAsync(byStranger.getFunction('topUp')(...parties, first, 5n))
    t.is((await f.info(first))[1], 15n)
    const { block: second } = await mined(call('transferWithData', 10n, f.openData()))
    await mined(call('transferWithData', 5n, f.topUpData(second)))
    t.is((await f.info(second))[1], 15n)

    await reverts(t, f.as(stranger, 'removeTrustedContracts')([address]), 'NotOwner')
    const removed = await mined(
      f.as(owner, 'removeTrustedContracts')([address, f.account(stranger)]),
    )
    t.deepEqual(removed.events, [{ name: 'TrustedContract', args: [address, false] }])
    await reverts(t, call('createChannel', ...parties, 10n), 'NotTrusted')
    await reverts(t, call('topUp', ...parties, first, 5n), 'NotTrusted')
    await reverts(t, call('transferWithData', 10n, f.openData()), 'NotTrusted')
    await reverts(t, f.as(stranger, 'createChannelDelegate')(...parties, 10n), 'NotTrusted')
    await reverts(t, f.as(stranger, 'topUpDelegate')(...parties, first, 10n), 'NotTrusted')
  })

  behaviour('what was signed for other values is not recovered to the signer', async (t) => {
    const me = f.account(sender)
    const to = f.account(receiver)
    for (const [method, signature, party, signer] of [
      ['extractBalanceProofSignature', f.proof(7, 8n, 'seed'), to, me],
      ['extractTypedBalanceProofSignature', f.proof(7, 8n), to, me],
      ['extractClosingSignature', f.agreement(7, 8n, 'seed'), me, to],
      ['extractTypedClosingSignature', f.agreement(7, 8n), me, to],
    ] as const) {
      const extract = f.channels.getFunction(method)
      t.is(await extract(party, 7, 8n, signature), signer)
      t.not(await extract(f.account(stranger), 7, 8n, signature), signer)
      t.not(await extract(party, 8, 8n, signature), signer)
      t.not(await extract(party, 7, 9n, signature), signer)
      await reverts(t, extract(party, 7, 8n, signature.slice(0, -4)), 'InvalidSignature')
      await reverts(t, extract(party, 7, 8n, `0x${'00'.repeat(65)}`), 'InvalidSignature')
    }
  })

  behaviour('tokens are minted for a tenth of an ether, and not for less', async (t) => {
    const before = await f.balance(stranger)
    const mint = f.tokenAs(stranger, 'mint')
    await reverts(t, mint({ value: 10n ** 17n - 1n }), 'NotEnoughEther')
    await mined(mint({ value: 10n ** 17n }))
    t.is(await f.balance(stranger), before + 50n * 10n ** BigInt(decimals))
    await reverts(t, f.tokenAs(stranger, 'transferFunds')(), 'NotOwner')
    await mined(f.tokenAs(owner, 'transferFunds')())
    t.is(await f.chain.provider.getBalance(await f.token.getAddress()), 0n)
  })
}

test('the constructor takes what can work and refuses the rest', async (t) => {
  const f = await contractFixture()
  t.teardown(() => f.chain.close())
  const factory = new ContractFactory([...channelsAbi], await channelsCode(), f.chain.wallet(owner))
  const token = await f.token.getAddress()
  const empty = await (await deployArtifact(f.chain, 'EmptyToken')).getAddress()
  const create = (address: string, period: bigint | number) =>
    factory.deploy(address, period, [token, f.account(stranger)])
  await reverts(t, create(ZeroAddress, 500), 'InvalidToken', 'token 0x0')
  await reverts(t, create(f.account(stranger), 500), 'InvalidToken', 'no code')
  await reverts(t, create(f.address, 500), 'InvalidToken', 'no totalSupply()')
  await reverts(t, create(empty, 500), 'InvalidToken', 'nothing of it exists')
  await reverts(t, create(token, 0), 'ChallengePeriodTooShort')
  await reverts(t, create(token, 499), 'ChallengePeriodTooShort')
  const inNextBlock = 2n ** 32n - 1n - BigInt((await f.chain.provider.getBlockNumber()) + 1)
  await reverts(t, create(token, 2n ** 32n - 1n), 'SettleBlockTooLarge')
  await reverts(t, create(token, inNextBlock), 'SettleBlockTooLarge', 'no block to close in')
  for (const period of [500n, inNextBlock - 2n]) {
    const deployed = await (await create(token, period)).waitForDeployment()
    t.is(await deployed.getFunction('challenge_period')(), period)
    t.true(await deployed.getFunction('trusted_contracts')(token))
    t.false(await deployed.getFunction('trusted_contracts')(f.account(stranger)))
  }
})

test('a challenge period that would end beyond 32 bits is refused, the longest that fits works', async (t) => {
  const chainFixture = await contractFixture()
  t.teardown(() => chainFixture.chain.close())
  const head = await chainFixture.chain.provider.getBlockNumber()
  // Deploying, three transfers, opening, closing: the request is in block head + 4 of its own chain.
  for (const [blocksAhead, fits] of [
    [4, true],
    [3, false],
    [2, 'not even opened'],
  ] as const) {
    const goBack = await chainFixture.chain.snapshot()
    const period = 2 ** 32 - 1 - (head + blocksAhead)
    const factory = new ContractFactory(
      [...channelsAbi],
      await channelsCode(),
      chainFixture.chain.wallet(owner),
    )
    const contract = await (
      await factory.deploy(await chainFixture.token.getAddress(), period, [])
    ).waitForDeployment()
    const address = await contract.getAddress()
    const transfer = chainFixture.tokenAs(sender, 'transfer(address,uint256,bytes)')
    if (fits === 'not even opened') {
      // The next block would be too late to ask for a close.
      await reverts(t, transfer(address, 10n, chainFixture.openData()), 'SettleBlockTooLarge')
      await goBack()
      continue
    }
    const { block: opened } = await mined(transfer(address, 10n, chainFixture.openData()))
    await chainFixture.chain.mine(1)
    const close = contract.connect(chainFixture.chain.wallet(sender)) as typeof contract
    const request = close.getFunction('uncooperativeClose')(
      chainFixture.account(receiver),
      opened,
      0n,
    )
    if (fits) t.is((await mined(request)).block, head + 4)
    else await reverts(t, request, 'SettleBlockTooLarge')
    await goBack()
  }
})
