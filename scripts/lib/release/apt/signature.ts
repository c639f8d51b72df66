// Signatures of a repository, with a key of the owner that gpg keeps; what is signed is verified at once.
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toolError } from '../../shared/errors.ts'
import { output } from '../command.ts'

export const keyringFile = 'uraiden-archive-keyring.gpg'

/**
 * Puts the public key into the root of the repository.
 * @param key of gpg: a fingerprint, or an e-mail address
 * @throws UraidenError release_key_missing
 */
export async function exportKey(key: string, repository: string): Promise<void> {
  const file = join(repository, keyringFile)
  await rm(file, { force: true })
  await output('gpg', ['--batch', '--export', '--output', file, key])
  // gpg says of a key that it has not only that it exported nothing.
  const listed = await output('gpg', ['--batch', '--with-colons', '--show-keys', file]).catch(
    () => '',
  )
  if (listed.includes('pub:')) return
  await rm(file, { force: true })
  throw toolError({ code: 'release_key_missing', message: `gpg has no key ${key}.` })
}

/**
 * Writes Release, Release.gpg and InRelease of a suite; InRelease, which apt reads, last.
 * @throws UraidenError release_tool_failed when gpg cannot sign
 */
export async function signRelease(
  text: string,
  { key, suiteFolder, repository }: Signed,
): Promise<void> {
  const half = (name: string) => join(suiteFolder, `${name}.new`)
  const how = ['--batch', '--yes', '--local-user', key, '--digest-algo', 'SHA512']
  await writeFile(half('Release'), text)
  await output('gpg', [...how, '--clearsign', '--output', half('InRelease'), half('Release')])
  const detached = ['--armor', '--detach-sign', '--output', half('Release.gpg')]
  await output('gpg', [...how, ...detached, half('Release')])
  const keyring = ['--keyring', join(repository, keyringFile)]
  await output('gpgv', ['--quiet', ...keyring, half('InRelease')])
  for (const name of ['Release', 'Release.gpg', 'InRelease']) {
    await rename(half(name), join(suiteFolder, name))
  }
}

interface Signed {
  readonly key: string
  readonly suiteFolder: string
  readonly repository: string
}
