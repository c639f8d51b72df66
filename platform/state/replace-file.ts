import { rename, writeFile } from 'node:fs/promises'

/**
 * Writes a small file for its owner only: whoever is killed here leaves the old one or the new one. It is not synced,
 * so it is for what may be lost, never for money.
 * @throws the system's error
 */
export async function replaceFile(file: string, content: string | Uint8Array): Promise<void> {
  await writeFile(`${file}.new`, content, { mode: 0o600 })
  await rename(`${file}.new`, file)
}
