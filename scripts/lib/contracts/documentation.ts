// The contracts' reference, from what NatSpec says in contracts/src.
import { type Fragment, FunctionFragment, Interface, type ParamType } from 'ethers'
import { readCompiled } from './compiled.ts'

interface UserDoc {
  readonly notice?: string
  readonly methods?: Readonly<Record<string, { readonly notice?: string }>>
  readonly events?: Readonly<Record<string, { readonly notice?: string }>>
  readonly errors?: Readonly<Record<string, readonly { readonly notice?: string }[]>>
}

interface DevDoc {
  readonly title?: string
  readonly methods?: Readonly<
    Record<
      string,
      {
        readonly details?: string
        readonly params?: Readonly<Record<string, string>>
        readonly returns?: Readonly<Record<string, string>>
      }
    >
  >
  readonly events?: Readonly<Record<string, { readonly details?: string }>>
  readonly errors?: Readonly<Record<string, readonly { readonly details?: string }[]>>
}

interface Documented {
  readonly name: string
  readonly interface: Interface
  readonly user: UserDoc
  readonly developer: DevDoc
}

const documented = [
  'RaidenMicroTransferChannels',
  'CustomToken',
  'DollarToken',
  'Delegate',
] as const

/** Text of docs/reference/contract.md. The contracts have been compiled. */
export async function contractDocumentation(): Promise<string> {
  const sections = await Promise.all(documented.map(readDocumented))
  return `# The contracts

Written by \`npm run contracts\` from the comments in \`contracts/src\`. Amounts are in
the token's smallest unit. What holds which threat is in
[contract-security.md](../design/contract-security.md), what each call costs in
[gas.md](gas.md), what is new since 0.3 in [contract-versions.md](contract-versions.md).
${sections.map(contractSection).join('')}`
}

async function readDocumented(name: string): Promise<Documented> {
  const { abi, output } = await readCompiled(name)
  const { userdoc, devdoc } = output
  return { name, interface: new Interface(abi), user: userdoc, developer: devdoc }
}

function contractSection(contract: Documented): string {
  const { name, user, developer } = contract
  const of = (kind: string) => contract.interface.fragments.filter(({ type }) => type === kind)
  // What the contracts inherit from Solady is described in `@dev` there.
  const eventRows = of('event').map((each) => {
    const key = each.format('sighash')
    return row(declaration(each), user.events?.[key]?.notice ?? developer.events?.[key]?.details)
  })
  const errorRows = of('error').map((each) => {
    const key = each.format('sighash')
    const details = developer.errors?.[key]?.[0]?.details
    return row(declaration(each), user.errors?.[key]?.[0]?.notice ?? details)
  })
  return `
## ${name}

${sentences(developer.title, user.notice)}

### Functions
${functionsOf(contract)
  .map((fragment) => functionSection(contract, fragment))
  .join(
    '',
  )}${table('Events', 'event', 'when', eventRows)}${table('Errors', 'error', 'cause', errorRows)}`
}

function table(title: string, what: string, text: string, rows: readonly string[]): string {
  return rows.length === 0
    ? ''
    : `\n### ${title}\n\n| ${what} | ${text} |\n|---|---|\n${rows.join('')}`
}

function functionsOf({ interface: { fragments } }: Documented): readonly FunctionFragment[] {
  return fragments
    .filter((each) => FunctionFragment.isFragment(each))
    .toSorted((a, b) => (a.format('sighash') < b.format('sighash') ? -1 : 1))
}

function functionSection({ user, developer }: Documented, fragment: FunctionFragment): string {
  const key = fragment.format('sighash')
  const { params = {}, returns = {}, details } = developer.methods?.[key] ?? {}
  const notice = user.methods?.[key]?.notice ?? details
  const names = fragment.inputs.map(({ name }) => name)
  const arguments_ = names.flatMap((name) =>
    params[name] === undefined ? [] : [`- \`${name}\`: ${oneLine(params[name])}\n`],
  )
  const results = Object.entries(returns).map(([name, text]) =>
    /^_\d+$/.test(name)
      ? `- returns ${oneLine(text)}\n`
      : `- returns \`${name}\`: ${oneLine(text)}\n`,
  )
  return `
\`\`\`solidity
${declaration(fragment)} ${fragment.stateMutability}${returned(fragment)}
\`\`\`
${notice === undefined ? '' : `\n${oneLine(notice)}\n`}${listed([...arguments_, ...results])}`
}

function listed(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${lines.join('')}`
}

function returned({ outputs }: FunctionFragment): string {
  return outputs.length === 0 ? '' : ` returns (${outputs.map(parameter).join(', ')})`
}

function declaration(fragment: Fragment & { readonly name?: string }): string {
  return `${fragment.name ?? ''}(${fragment.inputs.map(parameter).join(', ')})`
}

function parameter({ type, name, indexed }: ParamType): string {
  return [type, indexed ? 'indexed' : '', name].filter((part) => part !== '').join(' ')
}

function row(what: string, text: string | undefined): string {
  return `| \`${what}\` | ${oneLine(text ?? '')} |\n`
}

function sentences(...texts: readonly (string | undefined)[]): string {
  return texts.flatMap((text) => (text === undefined ? [] : [oneLine(text)])).join('. ')
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim()
