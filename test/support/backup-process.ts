// Writes or restores backups in a process of its own, to be killed in the middle.
import { writeBackup } from '../../receiver/server/backup/backup.ts'
import { type RestoreOptions, restoreBackup } from '../../receiver/server/backup/restore.ts'

export type Work =
  | { readonly kind: 'write'; readonly file: string; readonly texts: readonly string[] }
  | { readonly kind: 'restore'; readonly options: RestoreOptions }

/** Tells when it begins, so that the kill falls into the work and not into the start of Node. */
process.once('message', async (work: Work) => {
  process.send?.('begun')
  if (work.kind === 'restore') await restoreBackup(work.options)
  else for (let turn = 0; ; turn++) await writeBackup(work.file, work.texts[turn % 2] ?? '')
  process.disconnect()
})
