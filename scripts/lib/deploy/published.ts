// What is shipped of the deployments from this checkout: the records that programs read when `contract` is left out, and
// what others verify the code by.
import { cp, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { deploymentsFolder } from '../../../contracts/deployments.ts'

/** Of hardhat and anvil: everybody has one of their own. */
const testChain = '31337'

/** File names in `folder`: those of a record and of its standard-JSON input and metadata. */
export async function publishedDeployments(folder = deploymentsFolder): Promise<readonly string[]> {
  const names = await readdir(folder)
  return names
    .filter((name) => /^\d+(\.(input|metadata))?\.json$/.test(name))
    .filter((name) => !name.startsWith(`${testChain}.`))
    .sort()
}

/** Into a built package, at the place where its programs look. */
export async function shipDeployments(built: string, folder = deploymentsFolder): Promise<void> {
  for (const name of await publishedDeployments(folder)) {
    const to = join(built, 'contracts/deployments')
    await mkdir(to, { recursive: true })
    await cp(join(folder, name), join(to, name))
  }
}
