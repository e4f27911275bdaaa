"""What an entry of the leaderboard may say of its origin, in words: as tables show it, and what each of them means."""

from __future__ import annotations

CHOSEN = {
    "blind": "blind",
    "validation": "on validation faces",
    "test": "on the test faces",
    "public": "PublicTest figure",
    "unknown": "not said",
    "people": "people",
}
"""What chose the model that was scored, as tables show it."""

CHOSEN_MEANING = {
    "blind": "Nobody who built the system had the labels of the test faces. The best there is.",
    "validation": "PublicTest chose the model: its epoch, its recipe, its weights. As good as blind, as long as "
    "people keep to it; where ours did not quite, its line says so.",
    "test": "The very faces that gave the number also chose the model, for example by keeping the epoch that was "
    "best on them. Such a number is too high, and nobody knows by how much.",
    "public": "The number is for PublicTest, not for PrivateTest. Other faces, so another number.",
    "unknown": "The source does not say what chose the model, or on which faces it was scored.",
    "people": "People, not a program.",
}

TEST_TIME_AUGMENTATION = {
    "single": "one pass",
    "flip": "face and mirror image",
    "ten-crop": "ten crops",
    "random": "random copies",
    "unknown": "not said",
}
"""How many looks at a face an answer took, as tables show it."""

TEST_TIME_AUGMENTATION_MEANING = {
    "single": "The model looks at each face once.",
    "flip": "The answer is the mean over the face and its mirror image.",
    "ten-crop": "The answer is the mean over ten cuttings of the face: corners, middle, and all five mirrored.",
    "random": "The answer is the mean over several copies of the face, each changed at random.",
    "unknown": "The source does not say.",
}

REPRODUCED = {
    "command": "yes, with our command",
    "own": "measured by us",
    "measured": "yes, with another number: see its other line",
    "no": "no",
    "impossible": "cannot be: files are lost",
}
"""Whether somebody other than its author obtained the number, as tables show it."""

REPRODUCED_MEANING = {
    "command": "`python -m fer_core evaluate` gives the number again from the files in this project.",
    "own": "We scored the published weights ourselves, and this is what came out.",
    "measured": "We scored the published weights ourselves. What came out has a line of its own.",
    "no": "We have not tried.",
    "impossible": "What it would take is not there any more.",
}

GROUPS = {
    "fair": "One model, one look, chosen on other faces",
    "averaged": "Chosen on other faces, but averaged, or not known whether",
    "flattered": "Chosen on the test faces, scored on others, or not said",
    "people": "What people reach",
}
GROUP_MEANING = {
    "fair": "You may compare these numbers with each other.",
    "averaged": "You may compare these with each other where the same was averaged. Averaging helps: against the group "
    "above they have a head start.",
    "flattered": "Compare these with nothing. They show what was claimed.",
    "people": "A yardstick, not a competitor: the labels themselves come from people who disagree.",
}

TERMS = (
    ("Chosen", CHOSEN, CHOSEN_MEANING),
    ("Looks", TEST_TIME_AUGMENTATION, TEST_TIME_AUGMENTATION_MEANING),
    ("Obtained again", REPRODUCED, REPRODUCED_MEANING),
)
"""The columns whose words are explained below a table: heading, the words, their meanings."""
