//! `flow:`.

use super::shape::{DURATION, Pattern, Shape, Value, may, must};

const COLLECT: Shape = Shape {
    what: "collect",
    doc: "Wait for keys.",
    keys: &[&[
        may("digits", Value::Integer(1, 16), "How many keys.").default("1"),
        may("timeout", DURATION, "How long after the prompt: 1s to 60s.").default("5s"),
        may("tries", Value::Integer(1, 10), "How often the prompt is played in all.").default("2"),
    ]],
};

const STEP: Shape = Shape {
    what: "a step",
    doc: "A step either collects a key and branches with `on`, or ends with `then`.",
    keys: &[&[
        may("play", Value::Text, "A prompt, WAV 8000 Hz 16 bit mono; a key cuts it short.").like("prompts/hello.wav"),
        may("disposition", Value::Text, "Noted when the step is entered; the last one noted stands."),
        may(
            "callback",
            Value::Of(&Pattern::PROMISE),
            "When to call back, with a disposition that asks for it: the next time that the customer's clock shows, or \
             so long after the call. Without it, after `min_gap`.",
        )
        .like("15:00"),
        may("collect", Value::Map(&COLLECT), "Wait for keys."),
        may(
            "on",
            Value::Either(&[Value::Named(
                &Pattern { form: "^([0-9*#]{1,16}|timeout|failed)$", longest: 16 },
                &Value::Text,
            )]),
            "Where to go: keys in quotes, `timeout` (nothing in time after the last try), `failed` (the transfer).",
        )
        .like(r#"{ "1": "to-agent", "9": "never", "timeout": "bye" }"#),
        may("then", Value::Of(&Pattern::FLOW_END), "How the call ends: `hangup`, or \"transfer:QUEUE\".")
            .like("hangup"),
    ]],
};

pub const FLOW: Shape = Shape {
    what: "flow",
    doc: "What the machine does on an answered call. Every step can be reached, and every call can end.",
    keys: &[&[
        must("start", Value::Text, "The first step.").like("hello"),
        must("steps", Value::Named(&Pattern::NAME, &Value::Map(&STEP)), "The steps by name, 1 to 200."),
    ]],
};
