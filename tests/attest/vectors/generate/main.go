// Writes the vectors of the folder above, computed by CometBFT v0.40.0 itself.
//
//	cd tests/attest/vectors/generate && go run . ..
//
// Every key, time and size is derived from a counter, so a second run writes the
// same bytes.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	"github.com/cometbft/cometbft/types"
)

type object = map[string]any

func main() {
	folder := os.Args[1]
	write(folder, "headers.json", headers())
	write(folder, "votes.json", votes())
	write(folder, "proposals.json", proposals())
	write(folder, "validators.json", validatorSets())
	write(folder, "data.json", dataHashes())
	write(folder, "blocks.json", blocks())
	write(folder, "results.json", results())
	write(folder, "params.json", params())
	write(folder, "commits.json", commits())
	write(folder, "times.json", medianTimes())
}

func write(folder, name string, cases []object) {
	text, err := json.MarshalIndent(object{"source": "CometBFT v0.40.0", "cases": cases}, "", " ")
	check(err)
	check(os.WriteFile(filepath.Join(folder, name), append(text, '\n'), 0o644))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func hx(raw []byte) string { return hex.EncodeToString(raw) }

// bytesOf gives length bytes that depend on label alone.
func bytesOf(label string, length int) []byte {
	out := []byte{}
	for i := 0; len(out) < length; i++ {
		sum := sha256.Sum256([]byte(label + "/" + strconv.Itoa(i)))
		out = append(out, sum[:]...)
	}
	return out[:length]
}

func hash(label string) []byte { return bytesOf(label, 32) }

func at(seconds, nanos int64) time.Time { return time.Unix(seconds, nanos).UTC() }

func timeOf(t time.Time) object { return object{"seconds": t.Unix(), "nanos": t.Nanosecond()} }

func idOf(label string, total uint32) types.BlockID {
	return types.BlockID{
		Hash:          hash(label + "/block"),
		PartSetHeader: types.PartSetHeader{Total: total, Hash: hash(label + "/parts")},
	}
}

func idJSON(id types.BlockID) object {
	return object{"hash": hx(id.Hash), "parts_total": id.PartSetHeader.Total, "parts_hash": hx(id.PartSetHeader.Hash)}
}

func keyOf(label string) ed25519.PrivKey { return ed25519.GenPrivKeyFromSecret([]byte(label)) }

func headerOf(chain string, height int64, t time.Time, vals *types.ValidatorSet) types.Header {
	label := "header" + strconv.FormatInt(height, 10)
	h := types.Header{
		Version:            cmtversion.Consensus{Block: 11, App: 1},
		ChainID:            chain,
		Height:             height,
		Time:               t,
		LastBlockID:        idOf(label, 1),
		LastCommitHash:     hash(label + "/commit"),
		DataHash:           hash(label + "/data"),
		ValidatorsHash:     hash(label + "/validators"),
		NextValidatorsHash: hash(label + "/next"),
		ConsensusHash:      hash(label + "/consensus"),
		AppHash:            hash(label + "/app"),
		LastResultsHash:    hash(label + "/results"),
		EvidenceHash:       types.EvidenceList{}.Hash(),
		ProposerAddress:    bytesOf(label+"/proposer", 20),
	}
	if vals != nil {
		h.ValidatorsHash = vals.Hash()
		h.NextValidatorsHash = vals.Hash()
		h.ProposerAddress = vals.Validators[0].Address
	}
	return h
}

func headerJSON(h types.Header) object {
	return object{
		"version_block": h.Version.Block, "version_app": h.Version.App, "chain_id": h.ChainID,
		"height": h.Height, "time": timeOf(h.Time), "last_block_id": idJSON(h.LastBlockID),
		"last_commit_hash": hx(h.LastCommitHash), "data_hash": hx(h.DataHash),
		"validators_hash": hx(h.ValidatorsHash), "next_validators_hash": hx(h.NextValidatorsHash),
		"consensus_hash": hx(h.ConsensusHash), "app_hash": hx(h.AppHash),
		"last_results_hash": hx(h.LastResultsHash), "evidence_hash": hx(h.EvidenceHash),
		"proposer_address": hx(h.ProposerAddress),
	}
}

func headers() []object {
	first := headerOf("keymoot-first", 1, at(1_700_000_000, 0), nil)
	first.LastBlockID = types.BlockID{}
	first.LastResultsHash = nil
	first.AppHash = nil
	first.LastCommitHash = (&types.Commit{}).Hash()
	big := headerOf("keymoot-0123456789abcdef0123456789abcdef", 1<<62, at(253_402_300_799, 999_999_999), nil)
	big.Version.App = 1 << 63
	big.LastBlockID = idOf("big", 1<<31)
	epoch := headerOf("k", 2, at(0, 0), nil)
	epoch.Version.App = 0
	nanos := headerOf("keymoot-test", 300, at(1_795_000_000, 1), nil)
	longApp := headerOf("keymoot-test", 301, at(1_795_000_001, 500_000_000), nil)
	longApp.AppHash = bytesOf("long", 48)
	cases := []object{}
	for _, each := range []struct {
		says string
		h    types.Header
	}{
		{"the first block: no last block, no app hash, no results", first},
		{"the largest numbers that fit", big},
		{"the Unix epoch and app version 0: fields that protobuf leaves out", epoch},
		{"an ordinary header, one nanosecond past the second", nanos},
		{"an app hash that is not 32 bytes", longApp},
	} {
		raw, err := each.h.ToProto().Marshal()
		check(err)
		cases = append(cases, object{
			"description": each.says, "header": headerJSON(each.h), "hash": hx(each.h.Hash()), "bytes": hx(raw),
		})
	}
	return cases
}

func votes() []object {
	cases := []object{}
	for _, each := range []struct {
		says   string
		kind   cmtproto.SignedMsgType
		height int64
		round  int32
		id     types.BlockID
		t      time.Time
	}{
		{"prevote for a block, round 0", cmtproto.PrevoteType, 1, 0, idOf("vote", 1), at(1_795_000_000, 123)},
		{"precommit for a block, round 3", cmtproto.PrecommitType, 77, 3, idOf("vote", 5), at(1_795_000_000, 0)},
		{"prevote for nil", cmtproto.PrevoteType, 78, 1, types.BlockID{}, at(1_795_000_001, 7)},
		{"precommit for nil", cmtproto.PrecommitType, 1 << 60, 2_000_000_000, types.BlockID{}, at(0, 0)},
	} {
		vote := &cmtproto.Vote{Type: each.kind, Height: each.height, Round: each.round, BlockID: each.id.ToProto(), Timestamp: each.t}
		chain := "keymoot-votes"
		cases = append(cases, object{
			"description": each.says, "chain_id": chain, "kind": int(each.kind), "height": each.height, "round": each.round,
			"block_id": idJSON(each.id), "time": timeOf(each.t), "sign_bytes": hx(types.VoteSignBytes(chain, vote)),
		})
	}
	return cases
}

func proposals() []object {
	cases := []object{}
	for _, each := range []struct {
		says       string
		round, pol int32
	}{
		{"the first round: no proof of lock (-1)", 0, -1},
		{"locked in round 0", 2, 0},
		{"locked in round 4", 5, 4},
	} {
		id, t := idOf("proposal", 3), at(1_795_000_002, 42)
		p := &cmtproto.Proposal{Type: cmtproto.ProposalType, Height: 9, Round: each.round, PolRound: each.pol, BlockID: id.ToProto(), Timestamp: t}
		chain := "keymoot-proposals"
		cases = append(cases, object{
			"description": each.says, "chain_id": chain, "height": 9, "round": each.round, "pol_round": each.pol,
			"block_id": idJSON(id), "time": timeOf(t), "sign_bytes": hx(types.ProposalSignBytes(chain, p)),
		})
	}
	return cases
}
