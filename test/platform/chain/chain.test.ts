import test from 'ava'
import { connectChain, createTransactionSender } from '../../../platform/chain/index.ts'
import {
  addressOfKey,
  fromHex,
  parseAddress,
  type Signer,
  signDigest,
} from '../../../protocol/index.ts'
import { balanceProof } from '../../../scripts/lib/sign.ts'
import { deployTestContracts, startEmbeddedChain } from '../../lab/chains/embedded-chain.ts'

function keySigner(privateKey: string): Signer {
  const key = fromHex(privateKey)
  return { address: addressOfKey(key), sign: async (digest) => signDigest(digest, key) }
}

async function given() {
  const embedded = await startEmbeddedChain()
  const deployed = await deployTestContracts(embedded.wallet(0))
  const [owner, receiver] = embedded.accounts
  if (!owner || !receiver) throw new Error('no accounts')
  const chain = await connectChain({
    rpcUrl: embedded.rpcUrl,
    contract: deployed.channelsAddress,
    chainId: 31337n,
  })
  const sender = createTransactionSender({
    chain,
    signer: keySigner(owner.privateKey),
    pollInterval: 10,
  })
  return {
    embedded,
    deployed,
    chain,
    sender,
    owner,
    receiver,
    close: async () => {
      chain.close()
      await embedded.close()
    },
  }
}

test('a channel’s whole life: opened, topped up, withdrawn from, closed', async (t) => {
  const { embedded, deployed, chain, sender, owner, receiver, close } = await given()
  const facts = await chain.contractFacts()
  t.is(facts.version, '0.4.0')
  t.is(facts.token, deployed.tokenAddress)
  t.is(facts.challengePeriod, 500)
  t.like(await chain.tokenFacts(), { symbol: 'TKN', decimals: 18, name: 'CustomToken' })

  const parties = { sender: owner.address, receiver: receiver.address }
  const opened = await sender.send(
    chain.calls.openErc223(facts.token, { ...parties, deposit: 10n }),
  )
  const channel = { ...parties, openBlock: opened.contractBlock }
  t.like(opened.events[0], { kind: 'created', channel, deposit: 10n })
  await sender.send(chain.calls.topUpErc223(facts.token, channel, 5n))
  await sender.send(chain.calls.approve(facts.token, 2n))
  await sender.send(chain.calls.topUp(channel, 2n))
  t.like(await chain.channelInfo(channel), { deposit: 17n, settleBlock: 0, withdrawn: 0n })

  const domain = { contract: deployed.channelsAddress, chainId: chain.chainId }
  const proofOf = (balance: bigint) =>
    balanceProof({
      domain,
      receiver: receiver.address,
      openBlock: channel.openBlock,
      balance,
      key: owner.privateKey,
    })
  const receiving = createTransactionSender({
    chain,
    signer: keySigner(receiver.privateKey),
    pollInterval: 10,
  })
  await receiving.send(
    chain.calls.withdraw({ openBlock: channel.openBlock, balance: 3n, signature: proofOf(3n) }),
  )
  // A batch of one is the cheaper call, and still fails where it would pass over.
  const again = { openBlock: channel.openBlock, balance: 3n, signature: proofOf(3n) }
  await t.throwsAsync(receiving.send(chain.calls.withdrawOne(again)), {
    code: 'transaction_reverts',
    message: /BalanceNotHigher/,
  })
  const tooMuch = { openBlock: channel.openBlock, balance: 18n, signature: proofOf(18n) }
  await t.throwsAsync(receiving.send(chain.calls.cooperativeCloseOne(channel, tooMuch)), {
    code: 'transaction_reverts',
    message: /BalanceOverDeposit/,
  })
  await sender.send(chain.calls.uncooperativeClose(channel, 4n))
  t.like(await chain.channelInfo(channel), { closingBalance: 4n, withdrawn: 3n })
  await receiving.send(chain.calls.challenge(channel, 6n, proofOf(6n)))
  await receiving.send(chain.calls.cooperativeClose(channel, 7n, proofOf(7n), '0x'))
  t.is(await chain.channelInfo(channel), undefined)
  t.is(await chain.tokenBalance(receiver.address), 7n)

  const { number: to } = await chain.head()
  const events = await chain.events({ from: 0, to, receiver: receiver.address })
  t.deepEqual(
    events.map(({ kind }) => kind),
    ['created', 'toppedUp', 'toppedUp', 'withdrawn', 'closeRequested', 'challenged', 'settled'],
  )
  t.true(events.every((event) => event.channel.openBlock === channel.openBlock))
  t.deepEqual(await chain.events({ from: 0, to, sender: receiver.address }), [])
  t.is(await chain.block(to + 1), undefined)
  t.is(embedded.chainId, chain.chainId)
  await close()
})

test('what would fail on the chain is not sent, and the error is the contract’s own', async (t) => {
  const { chain, sender, owner, receiver, close } = await given()
  const before = await chain.head()
  const nowhere = { sender: owner.address, receiver: receiver.address, openBlock: 1 }
  await t.throwsAsync(sender.send(chain.calls.uncooperativeClose(nowhere, 0n)), {
    code: 'transaction_reverts',
    message: /To request a close would fail: ChannelNotFound\./,
  })
  t.is((await chain.head()).number, before.number)
  await close()
})

test('several sends at once take one nonce after the other', async (t) => {
  const { chain, sender, receiver, close } = await given()
  const { token } = await chain.contractFacts()
  const receipts = await Promise.all(
    [1n, 2n, 3n, 4n].map((amount) => sender.send(chain.calls.approve(token, amount))),
  )
  t.is(new Set(receipts.map(({ transaction }) => transaction)).size, 4)
  t.true((await chain.etherBalance(receiver.address)) > 0n)
  await close()
})

test('a fee above the cap is not paid', async (t) => {
  const { chain, owner, close } = await given()
  const signer = keySigner(owner.privateKey)
  const { token } = await chain.contractFacts()
  const frugal = createTransactionSender({ chain, signer, mostFeePerGas: 1n })
  await t.throwsAsync(frugal.send(chain.calls.approve(token, 1n)), { code: 'fee_over_cap' })
  await close()
})

test('a wrong node, a wrong chain and a wrong contract are told apart', async (t) => {
  const { embedded, close } = await given()
  const contract = parseAddress(`0x${'12'.repeat(20)}`)
  await t.throwsAsync(connectChain({ rpcUrl: 'http://127.0.0.1:9', contract, timeout: 500 }), {
    code: 'chain_unavailable',
    message: /127\.0\.0\.1:9/,
  })
  await t.throwsAsync(connectChain({ rpcUrl: embedded.rpcUrl, contract, chainId: 1n }), {
    code: 'wrong_chain',
    message: /chain 31337, not 1/,
  })
  const chain = await connectChain({ rpcUrl: embedded.rpcUrl, contract })
  await t.throwsAsync(chain.contractFacts(), { code: 'contract_missing' })
  chain.close()
  await close()
})
