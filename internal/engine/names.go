package engine

import (
	"encoding/binary"

	"github.com/leat-dev/leat/internal/core"
)

// runName returns a name for a run that was given none: an adjective and a
// water creature, chosen by the run's random id.
func runName(id core.ID) string {
	n := binary.BigEndian.Uint32(id[12:])
	// Arrays of constants, so that nothing is allocated for the words not chosen.
	adjectives := [...]string{
		"agile", "amber", "ample", "ancient", "arctic", "azure", "balmy", "bold", "brave", "bright", "brisk", "calm", "candid", "careful",
		"cheerful", "clear", "clever", "coastal", "copper", "coral", "crimson", "curious", "dapper", "daring", "deep", "deft", "eager",
		"early", "earnest", "easy", "elegant", "emerald", "fair", "fearless", "fleet", "fluent", "fond", "frank", "fresh", "gentle",
		"gilded", "glad", "golden", "graceful", "grand", "hardy", "hasty", "honest", "humble", "indigo", "ivory", "jaunty", "jolly",
		"keen", "kind", "lively", "loyal", "lucid", "lucky", "lunar", "mellow", "merry", "mighty", "misty", "modest", "nimble", "noble",
		"opal", "patient", "placid", "playful", "plucky", "polished", "prompt", "proud", "quick", "quiet", "radiant", "rapid", "ready",
		"robust", "rustic", "sage", "sandy", "scarlet", "serene", "sharp", "silent", "silver", "sincere", "sleek", "smooth", "snug",
		"solid", "spry", "steady", "stout", "sunny", "swift", "tidal", "tidy", "tranquil", "trusty", "upbeat", "valiant", "velvet",
		"vivid", "warm", "wise", "witty", "zesty",
	}
	creatures := [...]string{
		"anchovy", "angler", "axolotl", "barnacle", "barracuda", "bass", "beaver", "bittern", "bream", "carp", "catfish", "chub", "clam",
		"cod", "conch", "coot", "cormorant", "crab", "crane", "crayfish", "cuttlefish", "dace", "dipper", "dolphin", "dragonfly", "duck",
		"eel", "egret", "flounder", "frog", "gannet", "goby", "grayling", "grebe", "gull", "haddock", "halibut", "heron", "herring", "ibis",
		"jellyfish", "kelpie", "kingfisher", "krill", "lamprey", "limpet", "ling", "lobster", "loon", "mackerel", "manatee", "manta",
		"marlin", "minnow", "moorhen", "mullet", "mussel", "narwhal", "nautilus", "newt", "octopus", "orca", "osprey", "otter", "oyster",
		"pelican", "penguin", "perch", "pike", "plover", "porpoise", "prawn", "puffin", "rail", "ray", "redfish", "roach", "rudd",
		"salamander", "salmon", "sandpiper", "sardine", "scallop", "seahorse", "seal", "shark", "shrimp", "skate", "smelt", "snipe", "sole",
		"sponge", "sprat", "squid", "starfish", "stickleback", "stork", "sturgeon", "swan", "tench", "tern", "toad", "trout", "tuna",
		"turbot", "turtle", "urchin", "vole", "walrus", "whale", "whelk", "wigeon", "wrasse",
	}
	return adjectives[int(n)%len(adjectives)] + "-" + creatures[int(n>>8)%len(creatures)]
}
