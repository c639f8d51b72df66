// Text files as people have them: UTF-8, with or without a byte order mark.

export type FileText =
  | { readonly text: string }
  /** `UTF-16`, as editors and PowerShell of Windows write it, or `no UTF-8`. */
  | { readonly is: 'UTF-16' | 'no UTF-8' }

export const saveAsUtf8 = 'Save it as UTF-8, in an editor or with: iconv -f UTF-16 -t UTF-8'

/** Without the mark, which would be part of the first line. */
export function readUtf8(bytes: Uint8Array): FileText {
  const [first, second, third] = bytes
  const hasMark = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  // The first character of a text is hardly beyond Latin-1, so without a mark every other byte is zero.
  const isWide =
    bytes.length >= 4 && ((first === 0 && third === 0) || (second === 0 && bytes[3] === 0))
  if (hasMark || isWide) return { is: 'UTF-16' }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    return { is: 'no UTF-8' }
  }
}
