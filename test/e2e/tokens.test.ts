// The programs with tokens of many kinds: each lives a whole life of channels in it.
import test from 'ava'
import type { AgentOptions } from '../../agent/index.ts'
import { connectChain } from '../../platform/chain/index.ts'
import { lookAtContract } from '../../platform/cli/doctor.ts'
import { formatAmount, parseAmount } from '../../protocol/index.ts'
import type { ReceiverOptions } from '../../receiver/index.ts'
import { wholeLife } from '../support/channel-life.ts'
import { hears, kindsOf, troubles } from '../support/kinds-table.ts'
import { ofDecimals, startTokenSystem, type Token, tokenOf } from '../support/token-system.ts'

interface Kind {
  readonly token: Token
  /** Of a reading, as a person writes it. */
  readonly price: string
  readonly agent?: Partial<AgentOptions>
  readonly receiver?: Partial<ReceiverOptions>
  readonly etherless?: boolean
}

const usdc = tokenOf('UsdcToken')

const kinds: Readonly<Record<string, Kind>> = {
  '0 decimals': { token: ofDecimals(0), price: '5 TKN' },
  '6 decimals': { token: ofDecimals(6), price: '0.005 TKN' },
  '18 decimals': { token: ofDecimals(18), price: '0.005 TKN' },
  '24 decimals': { token: ofDecimals(24), price: '0.0001 TKN' },
  'ERC-20 and nothing else': { token: tokenOf('PlainToken'), price: '0.005 TST' },
  'symbol and name as bytes32 (MKR kind)': { token: tokenOf('Bytes32Token'), price: '0.005 MKR' },
  'no symbol': { token: tokenOf('SymbolLessToken'), price: '0.005' },
  'no decimals': { token: tokenOf('DecimalLessToken'), price: '5 WHL' },
  'neither name, symbol nor decimals': { token: tokenOf('BareToken'), price: '5' },
  'USDT kind': { token: tokenOf('TetherToken'), price: '0.005 USDT' },
  'USDC kind': { token: usdc, price: '0.005 USDC' },
  'USDC kind, `funding: permit`': {
    ...{ token: usdc, price: '0.005 USDC' },
    agent: { funding: 'permit' },
  },
  'USDC kind, an agent without ether': {
    ...{ token: usdc, price: '0.005 USDC' },
    ...{ receiver: { relay: {} }, etherless: true },
  },
  'with EIP-3009, `funding: authorization`': {
    ...{ token: tokenOf('AuthorizingToken'), price: '0.005 TST' },
    agent: { funding: 'authorization' },
  },
  'with EIP-3009, an agent without ether': {
    ...{ token: tokenOf('AuthorizingToken'), price: '0.005 TST' },
    ...{ receiver: { relay: {} }, etherless: true },
  },
}

const rows = kindsOf('token')

test('the table has the tokens of these tests, and no other', (t) => {
  t.deepEqual(rows.map(({ name }) => name).sort(), [...Object.keys(kinds), ...troubles].sort())
})

for (const [name, kind] of Object.entries(kinds)) {
  test(`a token: ${name}`, async (t) => {
    const row = rows.find((each) => each.name === name)
    if (row === undefined) return t.fail('a row')
    const { system, price, facts } = await startTokenSystem(
      t,
      kind.token,
      kind.price,
      kind.receiver,
    )
    const client = await connectChain({ rpcUrl: system.chain.rpcUrl, contract: system.contract })
    t.teardown(client.close)
    t.is(parseAmount(formatAmount(price, facts), facts), price)
    const heard = [(await lookAtContract(client)).says, formatAmount(price, facts)]
    const { agent = {}, etherless = false } = kind
    if (etherless) {
      const { provider } = system.chain
      await provider.send('hardhat_setBalance', [system.senderAccount.address, '0x0'])
    }
    const life = await wholeLife(t, { system, price, agent, etherless })
    t.is(row.together, 'yes')
    t.is(row.alone, etherless ? 'needs ether' : 'yes')
    t.is(life.opens, row.opens)
    t.is(life.topsUp, row.topsUp)
    for (const words of row.said) hears(t, heard, words)
  })
}
