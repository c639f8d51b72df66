// URLs of receivers that are configured by their announced name: `dns-sd://Living%20Room`.

export const serviceScheme = 'dns-sd:'

/** The name in such a URL; undefined for a URL of another scheme. */
export function serviceName(url: URL): string | undefined {
  return url.protocol === serviceScheme ? decodeURIComponent(url.hostname) : undefined
}
