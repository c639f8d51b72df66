// The record of a deployment, and beside it what it was compiled from.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { type Deployment, findDeployment } from '../../../contracts/deployments.ts'
import { isUraidenError, parseTypedAddress } from '../../../protocol/index.ts'
import { toolError } from '../shared/errors.ts'
import type { Sources } from './sources.ts'

/** The three files of a deployment: `1.json`, `1.input.json`, `1.metadata.json`. */
export interface DeploymentFiles {
  readonly record: string
  readonly input: string
  readonly metadata: string
}

export function deploymentFiles(record: string): DeploymentFiles {
  const stem = record.replace(/\.json$/, '')
  return { record, input: `${stem}.input.json`, metadata: `${stem}.metadata.json` }
}

/** Writes all three into the folder; the record before, if there was one. */
export async function writeDeployment(
  folder: string,
  deployment: Deployment,
  sources: Sources,
): Promise<{ readonly files: DeploymentFiles; readonly before: Deployment | undefined }> {
  const before = findDeployment(BigInt(deployment.chainId), folder)
  const files = deploymentFiles(join(folder, `${deployment.chainId}.json`))
  await writeSources(files, sources)
  await writeFile(files.record, `${JSON.stringify(deployment, null, 2)}\n`)
  return { files, before }
}

export async function writeSources(files: DeploymentFiles, sources: Sources): Promise<void> {
  await mkdir(dirname(files.record), { recursive: true })
  await writeFile(files.input, sources.input)
  await writeFile(files.metadata, sources.metadata)
}

/** Undefined beside records of versions that published none. */
export async function readSources(files: DeploymentFiles): Promise<Sources | undefined> {
  try {
    return {
      input: await readFile(files.input, 'utf8'),
      metadata: await readFile(files.metadata, 'utf8'),
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const address = z.string().transform((text, context) => {
  try {
    return parseTypedAddress(text)
  } catch (error) {
    if (!isUraidenError(error)) throw error
    context.addIssue({ code: 'custom', message: error.message })
    return z.NEVER
  }
})

const deployment = z.object({
  chainId: z.int().positive(),
  contract: address,
  token: address,
  version: z.string(),
  challengePeriod: z.int().positive(),
  startBlock: z.int().min(0),
  transaction: z.string().regex(/^0x[0-9a-f]{64}$/i),
})

export type RecordedDeployment = z.infer<typeof deployment>

/** @throws UraidenError `deployment_invalid` */
export async function readRecord(file: string): Promise<RecordedDeployment> {
  const invalid = (reason: string, cause: unknown) =>
    toolError({
      code: 'deployment_invalid',
      message: `${file} is no record of a deployment: ${reason}`,
      hint: 'Name the record that deploy-contracts wrote: contracts/deployments/<chain id>.json.',
      cause,
    })
  let content: unknown
  try {
    content = JSON.parse(await readFile(file, 'utf8'))
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : 'it is not readable', cause)
  }
  const { data, error } = deployment.safeParse(content)
  if (data !== undefined) return data
  throw invalid(error.issues.map(issueText).join('; '), error)
}

function issueText({ path, message }: z.core.$ZodIssue): string {
  return [path.join('.'), message].filter((part) => part !== '').join(': ')
}
