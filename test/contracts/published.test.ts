// What is shipped of the deployments from this checkout.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { publishedDeployments, shipDeployments } from '../../scripts/lib/deploy/published.ts'
import { temporaryFolder } from '../support/folder.ts'

const published = ['10.input.json', '10.json', '10.metadata.json', '8453.json']
const own = [
  '31337.json',
  '31337.input.json',
  '31337.metadata.json',
  'README.md',
  '10.json.1234',
  'x.json',
]

async function given(t: ExecutionContext) {
  const folder = await temporaryFolder(t)
  const records = join(folder, 'deployments')
  await mkdir(records)
  for (const name of [...published, ...own])
    await writeFile(join(records, name), `{"of":"${name}"}`)
  return { built: join(folder, 'dist'), records }
}

test('records, and what others verify the code by, go into the built package; those of test chains do not', async (t) => {
  const { built, records } = await given(t)
  t.deepEqual(await publishedDeployments(records), published)
  await shipDeployments(built, records)
  const shipped = join(built, 'contracts/deployments')
  t.deepEqual((await readdir(shipped)).sort(), published)
  t.is(await readFile(join(shipped, '8453.json'), 'utf8'), '{"of":"8453.json"}')
})

test('where nothing was deployed nothing is shipped', async (t) => {
  const folder = await temporaryFolder(t)
  await shipDeployments(join(folder, 'dist'), folder)
  t.deepEqual(await readdir(folder), [])
})

test('building the package ships them', async (t) => {
  const build = await readFile(new URL('../../scripts/build', import.meta.url), 'utf8')
  t.regex(build, /\nnode scripts\/lib\/ship\.ts dist\n$/)
})
