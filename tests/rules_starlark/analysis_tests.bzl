"""Tests of what targets are made of, decided when Bazel analyses them."""

visibility("private")

_ActionsInfo = provider(doc = "Actions of a target.", fields = {"actions": "list of Action."})

def _actions_aspect_impl(target, _ctx):
    return [_ActionsInfo(actions = target.actions)]

_actions_aspect = aspect(implementation = _actions_aspect_impl)

def _result(problems):
    return [AnalysisTestResultInfo(success = not problems, message = "\n".join(problems))]

def _runfiles_test_impl(ctx):
    names = [f.short_path for f in ctx.attr.target[DefaultInfo].default_runfiles.files.to_list()]
    problems = []
    for part in ctx.attr.absent:
        problems += ["{} is among the runfiles of {}".format(n, ctx.attr.target.label) for n in names if part in n]
    for part in ctx.attr.present:
        if not [n for n in names if part in n]:
            problems.append("nothing like {} is among the runfiles of {}".format(part, ctx.attr.target.label))
    return _result(problems)

runfiles_test = rule(
    implementation = _runfiles_test_impl,
    doc = "Says what parts of paths the runfiles of a target must and must not have.",
    attrs = {
        "absent": attr.string_list(doc = "Parts that no path may have."),
        "present": attr.string_list(doc = "Parts that some path must have."),
        "target": attr.label(mandatory = True, doc = "The target."),
    },
    analysis_test = True,
)

def _action_test_impl(ctx):
    actions = [a for a in ctx.attr.target[_ActionsInfo].actions if a.mnemonic == ctx.attr.mnemonic]
    if len(actions) != 1:
        return _result(["{} has {} actions {}".format(ctx.attr.target.label, len(actions), ctx.attr.mnemonic)])
    action = actions[0]
    problems = [
        "{} lacks the argument {}; it has {}".format(ctx.attr.mnemonic, wanted, action.argv[1:])
        for wanted in ctx.attr.argv
        if wanted not in action.argv
    ]
    for name, value in ctx.attr.env.items():
        if action.env.get(name) != value:
            problems.append("{} has {}={}".format(ctx.attr.mnemonic, name, action.env.get(name)))
    inputs = [f.short_path for f in action.inputs.to_list()]
    for part in ctx.attr.absent_inputs:
        problems += ["{} reads {}".format(ctx.attr.mnemonic, n) for n in inputs if part in n]
    return _result(problems)

action_test = rule(
    implementation = _action_test_impl,
    doc = "Says how a target's action of one kind must be run.",
    attrs = {
        "absent_inputs": attr.string_list(doc = "Parts that no input's path may have."),
        "argv": attr.string_list(doc = "Arguments that must be there."),
        "env": attr.string_dict(doc = "Environment that must be there."),
        "mnemonic": attr.string(mandatory = True, doc = "The kind of action."),
        "target": attr.label(mandatory = True, aspects = [_actions_aspect], doc = "The target."),
    },
    analysis_test = True,
)
