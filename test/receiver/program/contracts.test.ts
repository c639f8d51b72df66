// Where the states of several contracts are.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { openState } from '../../../platform/state/state.ts'
import type { Address } from '../../../protocol/index.ts'
import {
  firstContract,
  prepareStates as prepare,
  stateOfContract,
  unserved as unservedBeside,
} from '../../../receiver/program/contracts.ts'
import { temporaryFolder } from '../../support/folder.ts'

const [oldest, former, newest] = ['aA', 'bB', 'cC'].map(
  (byte) => `0x${byte.repeat(20)}` as Address,
) as [Address, Address, Address]

/** As a receiver on this contract begins it. */
async function begin(folder: string, contract: Address): Promise<void> {
  const owner = { chainId: 1n, contract, account: newest }
  const db = await openState({ folder, owner, program: 'receiver', format: 1 })
  await db.close()
}

const prepareStates = async (folder: string, contracts: readonly Address[]) =>
  prepare(folder, contracts, await firstContract(folder))

const unserved = async (folder: string, contracts: readonly Address[]) =>
  unservedBeside(folder, contracts, await firstContract(folder))

const own = (folder: string, contract: Address) => join(folder, 'contracts', contract.toLowerCase())

test('what was there first stays in the folder, whatever comes in front of it and goes again', async (t) => {
  const folder = await temporaryFolder(t)
  await begin(folder, oldest)
  await prepareStates(folder, [oldest])
  t.is(stateOfContract(folder, oldest), folder)

  await prepareStates(folder, [former, oldest])
  t.is(stateOfContract(folder, oldest), folder)
  t.is(stateOfContract(folder, former), own(folder, former))
  await begin(stateOfContract(folder, former), former)

  await prepareStates(folder, [newest, former])
  t.is(stateOfContract(folder, newest), own(folder, newest))
  t.is(stateOfContract(folder, former), own(folder, former))
  t.is(stateOfContract(folder, oldest), folder)
  t.deepEqual(await unserved(folder, [newest, former]), [oldest.toLowerCase()])
  t.deepEqual(await unserved(folder, [oldest, newest]), [former.toLowerCase()])
  t.deepEqual(await unserved(folder, [newest, former, oldest]), [])
})

test('where nothing is, the first contract gets the folder, and each other one of its own', async (t) => {
  const folder = join(await temporaryFolder(t), 'state')
  await prepareStates(folder, [newest, former, oldest])
  t.is(stateOfContract(folder, newest), folder)
  t.is(stateOfContract(folder, former), own(folder, former))
  t.is(stateOfContract(folder, oldest), own(folder, oldest))
  // A crash before any state was opened changes nothing.
  await prepareStates(folder, [newest, former, oldest])
  t.is(stateOfContract(folder, newest), folder)
  t.deepEqual(await unserved(folder, [newest, former, oldest]), [])
})

test('one of several that is prepared alone: restored, or started while another one has the folder', async (t) => {
  const folder = join(await temporaryFolder(t), 'state')
  await prepareStates(folder, [newest])
  t.is(stateOfContract(folder, newest), folder)
  await mkdir(folder, { mode: 0o700 })
  await begin(folder, former)
  await prepareStates(folder, [newest])
  t.is(stateOfContract(folder, newest), own(folder, newest))
})
