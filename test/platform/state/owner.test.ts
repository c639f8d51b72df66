// Whose a state folder is, on one contract and on several.
import test from 'ava'
import { openState, type StateOwner } from '../../../platform/state/state.ts'
import type { Address } from '../../../protocol/index.ts'
import { temporaryFolder } from '../../support/folder.ts'

const [first, second, third, account] = ['11', '22', '33', '99'].map(
  (byte) => `0x${byte.repeat(20)}` as Address,
) as [Address, Address, Address, Address]

test('begun on one contract, it is opened with those that came later, and by a later one alone', async (t) => {
  const folder = await temporaryFolder(t)
  const owner = { chainId: 1n, contract: first, account }
  const open = async (more: Partial<StateOwner>, program: 'agent' | 'receiver' = 'agent') => {
    const db = await openState({ folder, program, format: 1, owner: { ...owner, ...more } })
    const written = await db.get('owner')
    await db.close()
    return written === undefined ? undefined : JSON.parse(written)
  }
  const own = { program: 'agent', chainId: '1', contract: first, account }
  t.deepEqual(await open({}), own)
  await t.throwsAsync(open({ contract: second }), { code: 'state_of_another' })
  await t.throwsAsync(open({ contract: second, others: [third] }), { code: 'state_of_another' })
  t.deepEqual(await open({}), own)

  t.deepEqual(await open({ contract: second, others: [first] }), { ...own, also: [second] })
  t.deepEqual(await open({ contract: second }), { ...own, also: [second] })
  t.deepEqual(await open({}), { ...own, also: [second] })
  await t.throwsAsync(open({ contract: third }), { code: 'state_of_another' })
  t.deepEqual(await open({ contract: third, others: [second] }), { ...own, also: [second, third] })

  // Nothing else of the owner may differ.
  const several = { contract: second, others: [first] }
  await t.throwsAsync(open({ ...several, chainId: 2n }), { code: 'state_of_another' })
  await t.throwsAsync(open({ ...several, account: third }), { code: 'state_of_another' })
  await t.throwsAsync(open(several, 'receiver'), { code: 'state_of_another' })
})
