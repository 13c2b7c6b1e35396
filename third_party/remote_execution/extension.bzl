"""Module extension that makes `@remote_execution`, the wheels of a server of the Remote Execution API."""

load("//third_party/python:wheels_repo.bzl", "wheels_repo")

def _remote_execution_impl(_mctx):
    wheels_repo(name = "remote_execution", lock = Label("//third_party/remote_execution:requirements.lock"))

remote_execution = module_extension(
    implementation = _remote_execution_impl,
    doc = "A server of the Remote Execution API, for this repository's own tests.",
)
