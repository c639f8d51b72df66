// Reads a configuration file once, at the edge: checked, with defaults, overridden by variables.

import { readFile } from 'node:fs/promises'
import type { z } from 'zod'
import type { UraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { nearestName } from '../text/nearest-name.ts'
import { readUtf8, saveAsUtf8 } from '../text/utf8.ts'
import { jsonSchemaOf, namesAt, pathOfVariable } from './names.ts'
import { type Problem, problemsOf } from './problems.ts'
import { spelled } from './spellings.ts'
import { type KeyPath, parseYaml, type YamlFile } from './yaml.ts'

export interface ConfigSource<Schema extends z.ZodType> {
  /** As the person named it; messages repeat it. Without one everything comes from the overrides. */
  readonly file: string | undefined
  readonly schema: Schema
  readonly overrides?: EnvironmentOverrides
  /** Fills in what is left out and known elsewhere, before the schema looks. */
  readonly complete?: ((value: unknown) => unknown) | undefined
  /** Options of a command line; they win over the environment. */
  readonly options?: readonly ConfigOption[]
}

/** A setting that was given elsewhere. */
export interface ConfigOption {
  /** As the person wrote it, such as `--rpc`; messages repeat it. */
  readonly name: string
  readonly path: KeyPath
  readonly value: unknown
}

/** `URAIDEN_AGENT_BUDGET_HOUR=1` overrides `budget.hour` for the prefix `URAIDEN_AGENT_`. */
export interface EnvironmentOverrides {
  readonly prefix: string
  readonly environment: NodeJS.ProcessEnv
  /** Variables with the prefix that are no configuration, such as a password's. */
  readonly except?: readonly string[]
}

/**
 * The file's content, validated and with the schema's defaults.
 * @throws UraidenError `config_missing`, `config_unreadable`, `config_invalid`; the latter has one
 * line for every problem: `file:line key: what is wrong`
 */
export async function loadConfig<Schema extends z.ZodType>(
  source: ConfigSource<Schema>,
): Promise<z.output<Schema>> {
  const { file } = source
  return parseConfig(file === undefined ? '' : await readConfig(file), source)
}

/** The part of `loadConfig` that needs no file. */
export function parseConfig<Schema extends z.ZodType>(
  text: string,
  { file, schema, overrides, complete = (it) => it, options = [] }: ConfigSource<Schema>,
): z.output<Schema> {
  const yaml = parseYaml(text, file ?? '')
  const variables = overrides === undefined ? [] : variablesOf(schema, overrides)
  const given = [...variables, ...options]
  const { value: inFile, written } = spelled(yaml.value ?? {}, schema)
  const value = complete(
    given.reduce<unknown>((whole, { path, value }) => withValue(whole, path, value), inFile),
  )
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const problems = problemsOf(result.error, value, (path) => namesAt(jsonSchemaOf(schema), path))
  throw invalid(
    problems.map((problem) => ({
      ...problem,
      place: place(file, yaml, given, { path: problem.path, written: written(problem.path) }),
    })),
  )
}

function variablesOf(schema: z.ZodType, overrides: EnvironmentOverrides): readonly ConfigOption[] {
  const { prefix, environment, except = [] } = overrides
  const named = Object.entries(environment).filter(
    ([name]) => name.startsWith(prefix) && !except.includes(name),
  )
  // Making it of the whole schema takes a tenth of a start.
  if (named.length === 0) return []
  const json = jsonSchemaOf(schema)
  return named.flatMap(([name, text]) => {
    if (text === undefined) return []
    const path = pathOfVariable(json, name.slice(prefix.length).split('_'))
    if (path !== undefined && path.length > 0)
      return [{ name, path, value: parseYaml(text, name).value }]
    const known = [...except, ...namesAt(json, []).map((key) => prefix + key.toUpperCase())]
    const near = nearestName(name, known)
    throw platformError({
      code: 'config_invalid',
      message: `The environment variable ${name} overrides no setting.`,
      hint: near ? `Did you mean ${near}?` : `Unset it, or name a setting: ${known.join(', ')}.`,
    })
  })
}

function withValue(whole: unknown, path: KeyPath, value: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  const object = typeof whole === 'object' && whole !== null ? whole : {}
  return { ...object, [key]: withValue(object[key as keyof typeof object], rest, value) }
}

function place(
  file: string | undefined,
  yaml: YamlFile,
  given: readonly ConfigOption[],
  { path, written }: { readonly path: KeyPath; readonly written: KeyPath },
): string {
  const key = written.join('.')
  const option = given.findLast((each) => each.path.every((part, index) => path[index] === part))
  if (option !== undefined) return `${option.name} ${key}`
  return file === undefined ? key : `${file}:${yaml.lineOf(written)} ${key}`.trimEnd()
}

function invalid(problems: readonly (Problem & { readonly place: string })[]): UraidenError {
  return platformError({
    code: 'config_invalid',
    message: problems.map((problem) => `${problem.place}: ${problem.message}`).join('\n'),
    hint:
      [...new Set(problems.flatMap(({ hint }) => hint ?? []))].join('\n') || 'Correct the file.',
  })
}

async function readConfig(file: string): Promise<string> {
  const found = readUtf8(await readBytes(file))
  if ('text' in found) return found.text
  throw platformError({
    code: 'config_unreadable',
    message: `The configuration file ${file} is ${found.is}.`,
    hint: `${saveAsUtf8} ${file}`,
  })
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (error) {
    const { code } = error as { readonly code?: string }
    const missing = code === 'ENOENT'
    throw platformError({
      code: missing ? 'config_missing' : 'config_unreadable',
      message: missing
        ? `There is no configuration file ${file}.`
        : `The configuration file ${file} cannot be read (${code}).`,
      hint: missing
        ? 'Name another one with --config, or have one made: the command init asks for what it needs.'
        : 'Check its owner and mode.',
      cause: error,
    })
  }
}
