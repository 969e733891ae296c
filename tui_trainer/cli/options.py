"""Arguments and options that several commands take."""

import click

run_argument = click.argument("run", default="")
runs_dir_option = click.option("--runs-dir", default="", help="Where runs are kept.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line.")
headless_option = click.option("--headless", is_flag=True, help="Print lines instead of opening a screen.")
