// Can hosts that schedule everything get two certificates, or two answers of one secret?
//
// An explicit-state model of certificates, sessions, one-time secrets and generations for
// n = 4, f = 1, searched breadth first. Seats 0, 1, 2 have honest enclaves on hostile hosts;
// seat 3 is broken, so its share of anything is always there. README.md has the rules in
// words, what is left out, and what each run must find; check.py builds and runs them all.
//
//   safety [rule=0 ...] [heights=3] [starts=2] [secrets=1] [orders=2] [states=40000000]
//
// Exits 0 when the search ended without a violation, 1 with a violation and how it was
// reached, 2 on a wrong word, 3 when the bound on states cut the search.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <iostream>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

using std::array;
using std::string;
using std::vector;

// ---------------------------------------------------------------------------------------
// Sizes, and the rules that can be taken out.

constexpr int SEATS = 3;        // honest ones
constexpr int MAX_STARTS = 3;   // of one seat's enclave; start 0 is the founding's
constexpr int MAX_ORDERS = 2;   // recoveries
constexpr int MAX_HEIGHTS = 5;
constexpr int GENERATIONS = MAX_ORDERS + 1;
constexpr int MAX_SECRETS = 2 * GENERATIONS;

int heights = 3, starts = 2, secrets = 1, orders = 2;  // `secrets` is of each generation
int states = 40'000'000;

int parent_certified = 1;   // h is signed over a parent whose certificate was shown
int once_a_height = 1;      // a start signs one block of a height and generation
int first_block_once = 1;   // and one first block of a generation, whatever its height
int own_certificate = 1;    // an answer needs the certificate of the very block that binds
int stock_by_generation = 1;  // one-time secrets belong to the ledger's generation
int wipe_at_generation = 1;   // executing an order erases those of the one before
int session_certified = 1;  // a session counts when a certified block names it
int old_start_stops = 1;    // it ends when its start executes the block that replaces it
int takeover = 0;           // a start may go over to any certified block (the design: never)

// ---------------------------------------------------------------------------------------
// Blocks: the path from the founding block, five bits a height.

using Block = uint32_t;
constexpr int BITS = 5;
enum Content { BIND_X = 1, BIND_Y, EMPTY, ORDER_A, ORDER_B, POST };  // POST + seat*starts + start

Block child(Block parent, int content) { return parent << BITS | content; }
Block parent_of(Block block) { return block >> BITS; }
int height_of(Block block) {
    int height = 0;
    for (; block; block >>= BITS) height++;
    return height;
}
bool descends(Block block, Block ancestor) {
    for (int up = height_of(block) - height_of(ancestor); up > 0; up--) block = parent_of(block);
    return block == ancestor;
}

struct Start {
    bool begun, over;                 // over: it executed the block that replaces it
    Block origin, position;           // where it began, and what it executed last
    array<uint8_t, GENERATIONS> signed_heights;  // bit h of a generation
    uint8_t wiped;                    // secrets that it erased
    array<Block, MAX_SECRETS> answered, under;   // the binding block, and its certificate
};
struct Order {
    bool made;
    int8_t ends;                      // the generation in whose state it is executed
    Block base;
    array<int8_t, SEATS> named;       // a start of each seat that signed it, or -1
};
struct State {
    array<array<Start, MAX_STARTS>, SEATS> start;
    array<Order, MAX_ORDERS> order;
    vector<Block> certified;          // sorted; the founding block is not listed
};

bool is_certified(const State& state, Block block) {
    return block == 0 || std::binary_search(state.certified.begin(), state.certified.end(), block);
}

// What the ledger says after each block of a path.
struct Ledger {
    bool valid = true;
    int height = 0;
    array<Block, MAX_HEIGHTS + 1> at{};
    array<int, MAX_HEIGHTS + 1> generation{};
    array<array<int, SEATS>, MAX_HEIGHTS + 1> session{};
    array<int, MAX_HEIGHTS + 1> binds{};         // a secret, or -1
    int tip_generation() const { return generation[height]; }
    bool opens_generation() const {
        return height > 0 && generation[height] != generation[height - 1];
    }
};

Ledger execute(const State& state, Block tip) {
    Ledger ledger;
    ledger.height = height_of(tip);
    for (int h = ledger.height; h >= 0; h--, tip = parent_of(tip)) ledger.at[h] = tip;
    ledger.binds[0] = -1;
    array<int, GENERATIONS> used{};
    for (int h = 1; h <= ledger.height; h++) {
        int content = ledger.at[h] & ((1 << BITS) - 1);
        int generation = ledger.generation[h] = ledger.generation[h - 1];
        ledger.session[h] = ledger.session[h - 1];
        ledger.binds[h] = -1;
        if (content == BIND_X || content == BIND_Y) {
            int stock = stock_by_generation ? generation : 0;
            if (used[stock] >= secrets) return ledger.valid = false, ledger;
            ledger.binds[h] = stock * secrets + used[stock]++;
        } else if (content == ORDER_A || content == ORDER_B) {
            const Order& order = state.order[content - ORDER_A];
            if (!order.made || order.ends != generation || !descends(ledger.at[h - 1], order.base))
                return ledger.valid = false, ledger;
            ledger.generation[h] = content - ORDER_A + 1;
            for (int seat = 0; seat < SEATS; seat++) ledger.session[h][seat] = order.named[seat];
        } else if (content >= POST) {
            // A post names the session before it, so it only ever goes forward.
            int seat = (content - POST) / starts, start = (content - POST) % starts;
            if (start <= ledger.session[h][seat]) return ledger.valid = false, ledger;
            ledger.session[h][seat] = start;
        }
    }
    return ledger;
}

// ---------------------------------------------------------------------------------------
// One start: where it may go, what it may sign, what it may answer.

void wipe_others(Start& start, int generation) {
    if (!wipe_at_generation) return;
    for (int secret = 0; secret < GENERATIONS * secrets; secret++)
        if (secret / secrets != generation) start.wiped |= 1 << secret;
}

// Execute the blocks of `ledger` above height `from`; false where it has to stop before the tip.
bool walk(Start& start, int seat, int index, const Ledger& ledger, int from) {
    for (int h = from + 1; h <= ledger.height; h++) {
        if (start.over) return false;
        bool same = ledger.generation[h] == ledger.generation[h - 1];
        if (!same) wipe_others(start, ledger.generation[h]);
        bool replaced = ledger.session[h - 1][seat] == index && ledger.session[h][seat] > index;
        if (old_start_stops && same && replaced) start.over = true;
        start.position = ledger.at[h];
    }
    return true;
}

// Every way in which a start comes to have executed the tip of `ledger`.
vector<Start> arrivals(const State& state, int seat, int index, const Ledger& ledger) {
    const Start& now = state.start[seat][index];
    Block tip = ledger.at[ledger.height];
    vector<Start> ways;
    if (now.begun && descends(tip, now.position) && tip != now.origin) {
        Start start = now;
        if (walk(start, seat, index, ledger, height_of(now.position))) ways.push_back(start);
    } else if (now.begun && descends(now.position, tip) && height_of(now.origin) < ledger.height) {
        ways.push_back(now);  // executed before
    }
    if (now.begun && (!takeover || now.over)) return ways;
    // It begins, or goes over to, a certified block below the tip.
    for (int h = 0; h < ledger.height; h++) {
        if (!is_certified(state, ledger.at[h])) continue;
        Start start = now;
        start.begun = true;
        start.origin = start.position = ledger.at[h];
        if (walk(start, seat, index, ledger, h)) ways.push_back(start);
    }
    return ways;
}

bool session_lives(const State& state, int seat, int index, const Ledger& ledger) {
    bool named = false, replaced = false;
    for (int h = 0; h < ledger.height; h++) {
        if (ledger.generation[h] != ledger.tip_generation()) continue;
        bool counts = is_certified(state, ledger.at[h]);
        int session = ledger.session[h][seat];
        if (session == index && (counts || !session_certified)) named = true;
        if (session > index && (counts || old_start_stops)) replaced = true;
    }
    return named && !replaced;
}

vector<Start> signers(const State& state, int seat, int index, const Ledger& ledger) {
    int generation = ledger.tip_generation(), height = ledger.height;
    const Start& now = state.start[seat][index];
    uint8_t already = now.signed_heights[generation];
    vector<Start> ways;
    if (now.over || (once_a_height && already >> height & 1)) return ways;
    if (ledger.opens_generation()) {
        if (ledger.session[height][seat] != index || (first_block_once && already)) return ways;
    } else {
        if (parent_certified && !is_certified(state, ledger.at[height - 1])) return ways;
        if (!session_lives(state, seat, index, ledger)) return ways;
    }
    for (Start& start : ways = arrivals(state, seat, index, ledger))
        start.signed_heights[generation] |= 1 << height;
    return ways;
}

bool holds(const State& state, int secret, int seat, int index) {
    int generation = secret / secrets;
    return index == (generation == 0 ? 0 : state.order[generation - 1].named[seat]);
}

// ---------------------------------------------------------------------------------------
// What must never be.

string shown(Block block) {
    if (block == 0) return "founding";
    int content = block & ((1 << BITS) - 1);
    const char* words[] = {"", "X", "Y", "_", "A", "B"};
    string word = content < POST ? words[content]
                                 : "s" + std::to_string((content - POST) / starts) +
                                       char('a' + (content - POST) % starts);
    return parent_of(block) ? shown(parent_of(block)) + "." + word : word;
}

string violation(const State& state) {
    for (Block a : state.certified)
        for (Block b : state.certified) {
            if (a >= b || descends(a, b) || descends(b, a)) continue;
            Ledger one = execute(state, a), other = execute(state, b);
            if (one.tip_generation() == other.tip_generation())
                return "two branches of one generation are certified: " + shown(a) + " | " + shown(b);
        }
    for (int secret = 0; secret < GENERATIONS * secrets; secret++) {
        const Start* first = nullptr;
        for (auto& seat : state.start)
            for (auto& start : seat) {
                if (!start.answered[secret]) continue;
                if (!first) first = &start;
                if (first->answered[secret] != start.answered[secret] ||
                    first->under[secret] != start.under[secret])
                    return "secret " + std::to_string(secret) + " answers twice: " +
                           shown(first->answered[secret]) + " under " + shown(first->under[secret]) +
                           " | " + shown(start.answered[secret]) + " under " +
                           shown(start.under[secret]);
            }
    }
    return "";
}

// ---------------------------------------------------------------------------------------
// States that differ only in the names of seats, of X and Y, or of the two orders are one.

struct Renaming {
    array<int, SEATS> seat;
    bool swap_bind, swap_order;
    int generation(int g) const { return swap_order && g ? GENERATIONS - g : g; }
    Block block(Block b) const {
        if (b == 0) return 0;
        int content = b & ((1 << BITS) - 1);
        if (content <= BIND_Y) content = swap_bind ? BIND_X + BIND_Y - content : content;
        else if (content == ORDER_A || content == ORDER_B)
            content = swap_order ? ORDER_A + ORDER_B - content : content;
        else if (content >= POST) {
            int at = content - POST;
            content = POST + seat[at / starts] * starts + at % starts;
        }
        return child(block(parent_of(b)), content);
    }
};

using Fingerprint = std::pair<uint64_t, uint64_t>;
struct First {
    size_t operator()(const Fingerprint& print) const { return print.first; }
};

void write(string& out, const State& state, const Renaming& rename) {
    out.clear();
    auto number = [&](uint32_t value) { out.append(reinterpret_cast<char*>(&value), 4); };
    array<int, SEATS> back{};
    for (int seat = 0; seat < SEATS; seat++) back[rename.seat[seat]] = seat;
    for (int to = 0; to < SEATS; to++)
        for (int index = 0; index < starts; index++) {
            const Start& start = state.start[back[to]][index];
            out += char(start.begun | start.over << 1);
            if (!start.begun) continue;
            number(rename.block(start.origin));
            number(rename.block(start.position));
            for (int g = 0; g <= orders; g++)
                out += char(start.signed_heights[rename.generation(g)]);
            for (int g = 0; g <= orders; g++)
                for (int place = 0; place < secrets; place++) {
                    int secret = rename.generation(g) * secrets + place;
                    out += char(start.wiped >> secret & 1);
                    number(rename.block(start.answered[secret]));
                    number(rename.block(start.under[secret]));
                }
        }
    for (int k = 0; k < orders; k++) {
        const Order& order = state.order[rename.swap_order ? orders - 1 - k : k];
        out += char(order.made);
        out += char(rename.generation(order.ends));
        number(rename.block(order.base));
        for (int to = 0; to < SEATS; to++) out += char(order.named[back[to]]);
    }
    vector<Block> certified;
    for (Block block : state.certified) certified.push_back(rename.block(block));
    std::sort(certified.begin(), certified.end());
    for (Block block : certified) number(block);
}

Fingerprint fingerprint(const State& state) {
    string least, written;
    Renaming rename{{0, 1, 2}, false, false};
    do
        for (int swap = 0; swap < (orders == 2 ? 4 : 2); swap++) {
            rename.swap_bind = swap & 1;
            rename.swap_order = swap >> 1;
            write(written, state, rename);
            if (least.empty() || written < least) least = written;
        }
    while (std::next_permutation(rename.seat.begin(), rename.seat.end()));
    Fingerprint print{1469598103934665603ULL, 0x9E3779B97F4A7C15ULL};
    for (unsigned char byte : least) {
        print.first = (print.first ^ byte) * 1099511628211ULL;
        print.first ^= print.first >> 29;
        print.second = (print.second + byte + 1) * 0xBF58476D1CE4E5B9ULL;
        print.second ^= print.second >> 31;
    }
    return print;
}

// ---------------------------------------------------------------------------------------
// The search.

struct Step {
    int before;
    string what;
};

class Search {
  public:
    int run() {
        State founding{};
        for (auto& seat : founding.start) seat[0].begun = true;
        seen.insert(fingerprint(founding));
        steps.push_back({-1, ""});
        queue.push_back({founding, 0});
        while (!queue.empty() && found.empty() && int(steps.size()) <= states) {
            State state = queue.front().first;
            at = queue.front().second;
            queue.pop_front();
            certify(state);
            answer(state);
            give_order(state);
        }
        bool ended = queue.empty() && found.empty();
        std::cout << (found.empty() ? ended ? "no violation" : "cut" : "violation") << ", "
                  << steps.size() << " states\n";
        for (const string& line : found) std::cout << "  " << line << "\n";
        return found.empty() ? ended ? 0 : 3 : 1;
    }

  private:
    std::unordered_set<Fingerprint, First> seen;
    std::deque<std::pair<State, int>> queue;
    vector<Step> steps;
    vector<string> found;
    int at = 0;

    void reach(const State& state, const string& what) {
        if (!found.empty()) return;
        string wrong = violation(state);
        if (!wrong.empty()) {
            found = {what, wrong};
            for (int step = at; step > 0; step = steps[step].before)
                found.insert(found.begin(), steps[step].what);
        } else if (seen.insert(fingerprint(state)).second) {
            steps.push_back({at, what});
            queue.push_back({state, int(steps.size()) - 1});
        }
    }

    static string name(int seat, int index) { return std::to_string(seat) + char('a' + index); }

    // Two honest starts of two seats and the broken one: enough shares. One honest signature
    // alone enables nothing and only binds who gave it, so pairs lose no attack.
    void certify(const State& state) {
        vector<Block> level{0};
        for (int h = 1; h <= heights; h++) {
            vector<Block> next;
            for (Block parent : level)
                for (int content = BIND_X; content < POST + SEATS * starts; content++) {
                    Block block = child(parent, content);
                    Ledger ledger = execute(state, block);
                    if (!ledger.valid) continue;
                    next.push_back(block);
                    if (!is_certified(state, block)) certify_block(state, block, ledger);
                }
            level = next;
        }
    }

    void certify_block(const State& state, Block block, const Ledger& ledger) {
        struct Signer {
            int seat, index;
            Start after;
        };
        vector<Signer> can;
        for (int seat = 0; seat < SEATS; seat++)
            for (int index = 0; index < starts; index++)
                for (Start& after : signers(state, seat, index, ledger))
                    can.push_back({seat, index, after});
        for (size_t a = 0; a < can.size(); a++)
            for (size_t b = a + 1; b < can.size(); b++) {
                if (can[a].seat == can[b].seat) continue;
                State next = state;
                next.start[can[a].seat][can[a].index] = can[a].after;
                next.start[can[b].seat][can[b].index] = can[b].after;
                next.certified.insert(
                    std::upper_bound(next.certified.begin(), next.certified.end(), block), block);
                reach(next, "certify " + shown(block) + " by " + name(can[a].seat, can[a].index) +
                                " " + name(can[b].seat, can[b].index) + " and the broken one");
            }
    }

    void answer(const State& state) {
        for (Block certificate : state.certified) {
            Ledger upto = execute(state, certificate);
            for (int h = own_certificate ? upto.height : 1; h <= upto.height; h++) {
                if (upto.binds[h] < 0) continue;
                Ledger ledger = execute(state, upto.at[h]);
                for (int seat = 0; seat < SEATS; seat++)
                    for (int index = 0; index < starts; index++)
                        answer_by(state, seat, index, ledger, upto.binds[h], certificate);
            }
        }
    }

    void answer_by(const State& state, int seat, int index, const Ledger& ledger, int secret,
                   Block certificate) {
        const Start& now = state.start[seat][index];
        if (now.over || now.answered[secret] || !holds(state, secret, seat, index)) return;
        for (Start after : arrivals(state, seat, index, ledger)) {
            if (after.wiped >> secret & 1) continue;
            Block block = ledger.at[ledger.height];
            after.answered[secret] = block;
            after.under[secret] = certificate;
            State next = state;
            next.start[seat][index] = after;
            reach(next, "answer " + shown(block) + " by " + name(seat, index) +
                            " under the certificate of " + shown(certificate));
        }
    }

    void give_order(const State& state) {
        int slot = state.order[0].made ? 1 : 0;
        if (slot >= orders || state.order[slot].made) return;
        vector<Block> bases = state.certified;
        bases.push_back(0);
        for (Block base : bases) {
            if (height_of(base) >= heights) continue;
            int oldest = execute(state, base).tip_generation();
            for (int ends = 0; ends <= slot; ends++)
                if (ends == oldest || oldest == 0) give_order(state, slot, base, ends);
        }
    }

    // An endorser has the base on its own chain; a fresh start begins there.
    void give_order(const State& state, int slot, Block base, int ends) {
        array<vector<int>, SEATS> willing;
        for (int seat = 0; seat < SEATS; seat++) {
            willing[seat].push_back(-1);
            for (int index = 0; index < starts; index++) {
                const Start& start = state.start[seat][index];
                if (!start.begun || takeover || descends(start.position, base))
                    willing[seat].push_back(index);
            }
        }
        for (int a : willing[0])
            for (int b : willing[1])
                for (int c : willing[2]) {
                    if ((a >= 0) + (b >= 0) + (c >= 0) < 2) continue;
                    State next = state;
                    string by;
                    next.order[slot] = {true, int8_t(ends), base, {int8_t(a), int8_t(b), int8_t(c)}};
                    for (int seat = 0; seat < SEATS; seat++) {
                        int index = next.order[slot].named[seat];
                        if (index < 0) continue;
                        by += " " + name(seat, index);
                        Start& start = next.start[seat][index];
                        if (!start.begun || !descends(start.position, base)) {
                            start.begun = true;
                            start.origin = start.position = base;
                        }
                    }
                    reach(next, string("order ") + char('A' + slot) + " ends generation " +
                                    std::to_string(ends) + ", base " + shown(base) + ", by" + by +
                                    " and the broken one");
                }
    }
};

int main(int argc, char** argv) {
    std::map<string, int*> words{
        {"heights", &heights}, {"starts", &starts}, {"secrets", &secrets}, {"orders", &orders},
        {"states", &states}, {"parent_certified", &parent_certified},
        {"once_a_height", &once_a_height}, {"first_block_once", &first_block_once},
        {"own_certificate", &own_certificate}, {"stock_by_generation", &stock_by_generation},
        {"wipe_at_generation", &wipe_at_generation}, {"session_certified", &session_certified},
        {"old_start_stops", &old_start_stops}, {"takeover", &takeover}};
    for (int k = 1; k < argc; k++) {
        string word = argv[k];
        size_t equals = word.find('=');
        auto known = words.find(word.substr(0, equals));
        if (equals == string::npos || known == words.end()) {
            std::cerr << "unknown: " << word << "\n";
            return 2;
        }
        *known->second = std::stoi(word.substr(equals + 1));
    }
    if (heights > MAX_HEIGHTS || starts > MAX_STARTS || orders > MAX_ORDERS || secrets > 2) {
        std::cerr << "too large: at most 5 heights, 3 starts, 2 orders, 2 secrets\n";
        return 2;
    }
    return Search().run();
}
