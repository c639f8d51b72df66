// The receiver's books for commands that only look: asked of the running program, else read from the
// state. Both give the same plain data.
import { ownerOfState } from '../../../platform/state/state.ts'
import type { TokenUnit } from '../../../protocol/index.ts'
import { openBook } from '../../channels/book.ts'
import { openStore } from '../../channels/store.ts'
import type { ReceiverConfig } from '../../program/config.ts'
import { controlSocket } from '../../server/admin/place.ts'
import { adminChannel, type adminStats } from '../../server/admin/views.ts'
import { askReceiver } from './control.ts'
import { stateFolder } from './session.ts'

export type ListedChannel = ReturnType<typeof adminChannel>
export type RunningStats = ReturnType<typeof adminStats>

export interface Books {
  readonly channels: readonly ListedChannel[]
  /** What only a running receiver knows. */
  readonly running: RunningStats | undefined
}

/** @throws UraidenError those of `ownerOfState` and `openStore`, `receiver_unreachable` */
export async function readBooks(config: ReceiverConfig): Promise<Books> {
  const folder = stateFolder(config)
  const socket = controlSocket(config.admin, folder)
  const stats = socket === undefined ? undefined : await askReceiver(socket, '/admin/stats')
  if (socket === undefined || stats === undefined) {
    return { channels: await readState(folder), running: undefined }
  }
  const channels = await askReceiver(socket, '/admin/channels')
  return { channels: JSON.parse(channels ?? '[]'), running: JSON.parse(stats) }
}

async function readState(folder: string): Promise<readonly ListedChannel[]> {
  const store = await openStore(folder, await ownerOfState({ folder, program: 'receiver' }))
  try {
    return [...(await openBook(store)).all()].map(adminChannel)
  } finally {
    await store.close()
  }
}

/** A stopped receiver does not say what its token is called: then amounts are smallest units. */
export function unitOf({ running }: Books): TokenUnit {
  return running === undefined
    ? { symbol: 'units', decimals: 0 }
    : { symbol: running.token_symbol, decimals: running.token_decimals }
}
