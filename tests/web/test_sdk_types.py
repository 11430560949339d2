"""The SDK's types and modules, by the tools of those who use them, where these are installed."""

import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

FILES = {
    "checkout.js": "/sdk/2.0.1/checkout.js", "checkout.mjs": "/sdk/2.0.1/checkout.mjs",
    "checkout.d.ts": "/sdk/checkout.d.ts", "checkout.d.mts": "/sdk/checkout.d.mts",
}  # fmt: skip
BESIDE_A_SCRIPT_TAG = """
const asked = { key: "pk_test_x", orderId: "o", theme: "dark" as const };
const one: PaymentGateway = new PaymentGateway({ ...asked, onSuccess: (it) => console.log(it.reason, it.orderId) });
one.open();
new window.PaymentGateway(asked).close();
new BitLoot.Checkout({ ...asked, gateway: "https://pay.example" }).open();
console.log(PaymentGateway.version, new window.BitLoot.PaymentGateway(asked));
"""
IMPORTED = """
import { Checkout, PaymentGateway, type CheckoutResult } from "./checkout.EXT";
const ended = (it: CheckoutResult): void => {
  if (it.reason === "refused" || it.status === "unknown") console.log(it.payment?.failure);
};
const one: PaymentGateway = new PaymentGateway({ key: "k", orderId: "o", onFailure: ended, onClose: ended });
one.open();
const same: typeof PaymentGateway = Checkout;
const later = async (): Promise<string> => (await import("./checkout.EXT")).PaymentGateway.version;
console.log(same, later);
"""
WRONG = {
    "an option that is none": 'new PaymentGateway({ key: "k", orderId: "o", onDone: () => {} });',
    "an order's number": 'new PaymentGateway({ key: "k", orderId: 7 });',
    "a member that no result has": 'new PaymentGateway({ key: "k", orderId: "o", onClose: (it) => it.code });',
}
tsc = pytest.mark.skipif(not shutil.which("tsc"), reason="no TypeScript here")


@pytest.fixture
async def folder(client: httpx.AsyncClient, tmp_path: Path) -> Path:
    """The SDK's files in a merchant's project."""
    for name, path in FILES.items():
        (tmp_path / name).write_bytes((await client.get(path)).content)
    return tmp_path


def compiles(folder: Path, *files: str, how: str = "bundler") -> subprocess.CompletedProcess[str]:
    module = {"bundler": "esnext", "nodenext": "nodenext"}[how]
    command = ["tsc", "--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom", "--module", module]
    return subprocess.run(
        [*command, "--moduleResolution", how, *files], cwd=folder, capture_output=True, text=True, check=False
    )


@tsc
@pytest.mark.parametrize("how", ["bundler", "nodenext"])
@pytest.mark.parametrize("kind", ["commonjs", "module"])
def test_strict_typescript_compiles_the_script_the_import_and_both_together(folder: Path, how: str, kind: str) -> None:
    (folder / "package.json").write_text(f'{{"type": "{kind}"}}')
    (folder / "page.ts").write_text(BESIDE_A_SCRIPT_TAG)
    (folder / "by_script.ts").write_text(IMPORTED.replace("EXT", "js"))
    (folder / "by_module.mts").write_text(IMPORTED.replace("EXT", "mjs"))
    for files in (
        ["page.ts", "checkout.d.ts"], ["by_script.ts"], ["by_module.mts"],
        ["page.ts", "by_script.ts", "by_module.mts", "checkout.d.ts"],
    ):  # fmt: skip
        done = compiles(folder, *files, how=how)
        assert done.returncode == 0, (files, done.stdout)


@tsc
@pytest.mark.parametrize("what", WRONG)
def test_strict_typescript_refuses_what_the_sdk_does_not_know(folder: Path, what: str) -> None:
    (folder / "page.ts").write_text(WRONG[what])
    assert "error TS" in compiles(folder, "page.ts", "checkout.d.ts").stdout


NEEDS_NODE = pytest.mark.skipif(not shutil.which("node"), reason="no Node here")
ON_A_SERVER = {
    "import": ("mjs", 'import { PaymentGateway } from "./checkout.mjs"; console.log(PaymentGateway.version)'),
    "import()": ("mjs", 'console.log((await import("./checkout.mjs")).Checkout.version)'),
    "import for its effect": ("mjs", 'import "./checkout.js"; console.log("2.0.1")'),
    "require": ("cjs", 'console.log(require("./checkout.js").PaymentGateway.version)'),
}


@NEEDS_NODE
@pytest.mark.parametrize("way", ON_A_SERVER)
def test_a_page_rendered_on_a_server_may_import_it_there(folder: Path, way: str) -> None:
    ending, text = ON_A_SERVER[way]
    (folder / f"page.{ending}").write_text(text)
    done = subprocess.run(["node", f"page.{ending}"], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("2.0.1\n", 0), done.stderr


@NEEDS_NODE
@pytest.mark.skipif(not shutil.which("esbuild"), reason="no esbuild here")
@pytest.mark.parametrize("name", ["checkout.js", "checkout.mjs"])
def test_a_bundler_finds_what_is_imported(folder: Path, name: str) -> None:
    (folder / "page.js").write_text(f'import {{ PaymentGateway }} from "./{name}"; console.log(PaymentGateway.version)')
    bundle = ["esbuild", "page.js", "--bundle", "--format=iife", "--outfile=bundle.js"]
    subprocess.run(bundle, cwd=folder, capture_output=True, check=True)
    done = subprocess.run(["node", "bundle.js"], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("2.0.1\n", 0), done.stderr
