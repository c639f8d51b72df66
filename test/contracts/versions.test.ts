// Contract 0.4 beside 0.3: what differs is in docs/reference/contract-versions.md, and nothing else does.
import { readFileSync } from 'node:fs'
import test from 'ava'
import { Contract, Interface, id, keccak256, toBeHex } from 'ethers'
import { channelsAbi } from '../../contracts/abi/channels.ts'
import { parseAddress } from '../../protocol/index.ts'
import { formerInterface } from '../../scripts/lib/contracts/version-0.3.ts'
import {
  type ContractInterface,
  contractVersions,
  currentInterface,
} from '../../scripts/lib/contracts/versions.ts'
import {
  ContractFixture,
  contractFixture,
  mined,
  owner,
  receiver,
  sender,
} from '../support/contracts.ts'
import { deployVersion03 } from '../support/version03/deploy.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('the page is what the two contracts are; npm run contracts writes it', async (t) => {
  const now = await currentInterface()
  t.is(contractVersions(formerInterface, now), read('docs/reference/contract-versions.md'))
  t.deepEqual(now.abi, new Interface(channelsAbi).format())
})

const replaced = (before: string, after: string) => (now: ContractInterface) => ({
  ...now,
  abi: now.abi.map((each) => each.replace(before, after)),
})

const changes: readonly (readonly [
  string,
  (now: ContractInterface) => ContractInterface,
  RegExp,
])[] = [
  [
    'a function is gone',
    (now) => ({ ...now, abi: now.abi.filter((each) => !each.includes(' settle(')) }),
    /\| removed \| `function settle\(.*` \| – \|/,
  ],
  [
    'an event is new',
    (now) => ({ ...now, abi: [...now.abi, 'event Paused()'] }),
    /\| added \| – \| `event Paused\(\)` \|/,
  ],
  [
    'an error has a parameter',
    replaced('error NoCredit()', 'error NoCredit(address account)'),
    /\| removed \| `error NoCredit\(\)` \| – \|\n\| added \| – \| `error NoCredit\(address account\)`/,
  ],
  [
    'a parameter of an event is indexed no more',
    replaced('PayoutCredited(address indexed', 'PayoutCredited(address'),
    /\| changed \| `event PayoutCredited\(address indexed .*` \| `event PayoutCredited\(address _acc/,
  ],
  [
    'a function returns something else',
    replaced('view returns (uint32)', 'view returns (uint64)'),
    /\| changed \| `function challenge_period\(\) .*uint32.* \| `function challenge_period.*uint64/,
  ],
  [
    'the constructor takes something else',
    replaced('address[] _trusted_contracts)', 'address _trusted_contract)'),
    /\| changed \| `constructor\(.*`constructor\(/,
  ],
  [
    'two variables change places',
    ({ storage: [first, second, ...rest], ...now }) => ({
      ...now,
      storage: [
        ...(first && second
          ? [
              { ...second, slot: first.slot },
              { ...first, slot: 1 },
            ]
          : []),
        ...rest,
      ],
    }),
    /\| `trusted_contracts` \| `slot 0, .*` \| `slot 1, /,
  ],
  [
    'a variable has another type',
    ({ storage, ...now }) => ({
      ...now,
      storage: storage.map((each) => ({ ...each, type: each.type.replace('bool', 'uint8') })),
    }),
    /\| `trusted_contracts` \| `.*=> bool\)` \| `.*=> uint8\)` \|/,
  ],
  [
    'a transient variable is new',
    (now) => ({
      ...now,
      transient: [...now.transient, { name: '_paying', type: 'bool', slot: 1, offset: 0 }],
    }),
    /\| `_paying` \| – \| `transient slot 1, byte 0: bool` \|/,
  ],
]

for (const [what, change, row] of changes) {
  test(`the page changes when ${what}`, async (t) => {
    const now = await currentInterface()
    t.notRegex(contractVersions(formerInterface, now), row)
    t.regex(contractVersions(formerInterface, change(now)), row)
  })
}

test('what is said of 0.3 is in its code: each selector, each error and each event', (t) => {
  const code = read('test/support/version03/channels.hex')
  const missing = new Interface(formerInterface.abi).fragments
    .filter(({ type }) => type !== 'constructor')
    // Leading zeros are not in the code.
    .map((each) => ({ each, hash: id(each.format('sighash')).slice(2) }))
    .filter(({ each, hash }) => {
      const seen = each.type === 'event' ? hash : hash.slice(0, 8)
      return !code.includes(seen.replace(/^(00)+/, ''))
    })
  t.deepEqual(
    missing.map(({ each }) => each.format('full')),
    [],
  )
})

test('a channel is the same word in both: in a mapping of 0.3, at its key in 0.4', async (t) => {
  const now = await contractFixture()
  t.teardown(() => now.chain.close())
  const token = parseAddress(await now.token.getAddress())
  const address = await deployVersion03(now.chain.wallet(owner), token)
  const channels = new Contract(address, formerInterface.abi, now.chain.wallet(owner))
  const former = new ContractFixture(now.chain, { channels, token: now.token }, address)
  const words = async (contract: ContractFixture, slotOf: (key: string) => string) => {
    const goBack = await now.chain.snapshot()
    const openBlock = await contract.openErc20(1000n)
    const key = await contract.channels.getFunction('getKey')(
      contract.account(sender),
      contract.account(receiver),
      openBlock,
    )
    const word = () => now.chain.provider.getStorage(contract.address, slotOf(key))
    const opened = await word()
    await mined(contract.as(receiver, 'withdraw')(openBlock, 300n, contract.proof(openBlock, 300n)))
    const withdrawn = await word()
    const close = contract.as(sender, 'uncooperativeClose')
    await mined(close(contract.account(receiver), openBlock, 400n))
    const closing = await word()
    await goBack()
    return [opened, withdrawn, closing]
  }
  const before = await words(former, (key) => keccak256(key + toBeHex(3, 32).slice(2)))
  t.deepEqual(await words(now, (key) => key), before)
  t.is(new Set(before).size, 3)
  t.false(before.includes(toBeHex(0, 32)))
})
