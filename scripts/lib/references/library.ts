// docs/reference/library.md: options and methods of agent and receiver, in the words of their docstrings.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../../../', import.meta.url))

interface Section {
  readonly title: string
  readonly about: string
  /** Interfaces and their files, whose members are one table. */
  readonly of: readonly (readonly [file: string, name: string])[]
}

const sections: readonly Section[] = [
  {
    title: 'createAgent',
    about: `Options of \`createAgent\`. \`key\` (\`{ file, password, passwordFile }\`) may stand in place of
\`signer\`, a text such as \`'0.01 TKN'\` in place of an amount, a number in place of a \`chainId\`.`,
    of: [['agent/options.ts', 'AgentOptions']],
  },
  {
    title: 'A request',
    about: 'Options of `agent.get`, `post`, `request` and `stream`.',
    of: [['agent/purchase/types.ts', 'RequestOptions']],
  },
  {
    title: 'What was paid',
    about: '`payment` of an answer.',
    of: [['agent/purchase/types.ts', 'PaymentFacts']],
  },
  {
    title: 'Hooks',
    about: 'Options `hooks` of `createAgent`, besides `beforePayment`.',
    of: [['agent/purchase/hooks.ts', 'HookEvents']],
  },
  {
    title: 'The agent',
    about: 'What `createAgent` resolves with.',
    of: [
      ['agent/purchase/types.ts', 'Purchases'],
      ['agent/purchase/transfer.ts', 'Transfers'],
      ['agent/channels/management.ts', 'ChannelManagement'],
      ['agent/options.ts', 'Agent'],
    ],
  },
  {
    title: 'startReceiver',
    about: 'Options of `startReceiver`, with `key` in place of `signer` as above.',
    of: [
      ['receiver/core/options.ts', 'ReceiverOptions'],
      ['receiver/signatures/index.ts', 'VerifierOptions'],
    ],
  },
  {
    title: 'The receiver',
    about: 'What `startReceiver` resolves with.',
    of: [['receiver/core/options.ts', 'Receiver']],
  },
]

export function libraryReference(): string {
  return `# Options and methods of the libraries

\`npm run reference\` writes this page from the sources. How they are used is in
[the agent as a library](agent-library.md) and
[the receiver as a library](receiver-library.md).

Amounts are \`bigint\` of the token's smallest unit, addresses are checksummed texts.
What has a question mark may be left out.
${sections.map(sectionText).join('')}`
}

function sectionText({ title, about, of }: Section): string {
  const rows = of.flatMap(([file, name]) => membersOf(file, name)).map(row)
  return `\n## ${title}\n\n${about}\n\n| name | type | |\n|---|---|---|\n${rows.join('')}`
}

interface Member {
  readonly name: string
  readonly type: string
  readonly says: string
}

function membersOf(file: string, name: string): readonly Member[] {
  const text = readFileSync(`${root}${file}`, 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found = source.statements.find(
    (each) => ts.isInterfaceDeclaration(each) && each.name.text === name,
  )
  if (found === undefined || !ts.isInterfaceDeclaration(found)) {
    throw new Error(`${file} has no interface ${name}`)
  }
  return found.members.filter(ts.isPropertySignature).map((member) => ({
    name: `${member.name.getText()}${member.questionToken === undefined ? '' : '?'}`,
    type: typeOf(member),
    says: docOf(member),
  }))
}

/** That it may be undefined is what the question mark says. */
function typeOf({ type, questionToken }: ts.PropertySignature): string {
  if (type === undefined) return ''
  const parts = ts.isUnionTypeNode(type) ? [...type.types] : [type]
  const isSaid = (part: ts.TypeNode) =>
    questionToken !== undefined && part.kind === ts.SyntaxKind.UndefinedKeyword
  return parts
    .filter((part) => !isSaid(part))
    .map((part) => part.getText())
    .join(' | ')
}

/** Without tags: of what it throws the catalogue tells, and examples stand on the pages. */
function docOf(member: ts.PropertySignature): string {
  const [doc] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc)
  return (ts.getTextOfJSDocComment(doc?.comment) ?? '').replaceAll(/\s+/g, ' ').trim()
}

function row({ name, type, says }: Member): string {
  return `| \`${name}\` | \`${cell(type.replaceAll('readonly ', ''))}\` | ${cell(says)} |\n`
}

function cell(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')
}
